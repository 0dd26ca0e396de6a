"""Clients with ACME Renewal Information (RFC 9773) renew when the server's clock is ahead, and not before.

Debian's lego and Caddy have no support: the clients are mod_md, and certbot from PyPI, whose path is in
PKIGEN_CERTBOT (``make clients`` installs it).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509

from pkigen.environment.revoke import revoke
from tests.clients.conftest import free_port
from tests.clients.enrolment.acme_clients import Acme, Certbot, web_server
from tests.clients.enrolment.conftest import environment_with, only_clients, serving, verify
from tests.clients.enrolment.mod_md import mod_md

_CERTBOT = os.environ.get("PKIGEN_CERTBOT", "")
_NAME = "device.contoso.test"


class CertbotFromPypi(Certbot):
    """certbot 4.1 or later."""

    program = str(Path(_CERTBOT).absolute()) if _CERTBOT else "certbot"

    def renew_if_due(self, name: str) -> int:
        """Let certbot decide whether to renew; return the serial number of the certificate afterwards."""
        code, output = self._certbot("renew", "--cert-name", name, "--no-random-sleep-on-renew")
        assert code == 0, output
        return self.serial(name)

    def forget_retry_after(self, name: str) -> None:
        """Let certbot ask for renewal information again before the Retry-After of the last response."""
        path = self.out / "config" / "renewal" / f"{name}.conf"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(one for one in lines if not one.startswith("ari_retry_after")), "utf-8")

    def serial(self, name: str) -> int:
        """Return the serial number of the current certificate."""
        return x509.load_pem_x509_certificate(self.certificate(name).read_bytes()).serial_number


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that Apache can enter, whose user is not root."""
    with TemporaryDirectory(prefix="pkigen-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@only_clients
@pytest.mark.skipif(not _CERTBOT, reason="PKIGEN_CERTBOT is not set; make clients sets it")
def test_certbot_renews_when_the_servers_clock_is_ahead(tmp_path: Path) -> None:
    port, out = str(free_port()), tmp_path / "certbot"
    out.mkdir()
    with web_server(tmp_path) as (web, http_port):
        folder = environment_with("acme", f"{{http_port: {http_port}}}", tmp_path)
        with serving(folder, "--enrol-port", port) as enrolment:
            client = CertbotFromPypi(Acme(enrolment.url, enrolment.trust, web, http_port, 443), out)
            code, output = client.first(_NAME)
            assert code == 0, output
            first = client.serial(_NAME)
            assert client.renew_if_due(_NAME) == first
            client.forget_retry_after(_NAME)
        with serving(folder, "--enrol-port", port, "--at", "+60d") as enrolment:
            renewed = client.renew_if_due(_NAME)
            assert renewed != first
            verify(enrolment, client.certificate(_NAME), "-verify_hostname", _NAME)


@only_clients
@pytest.mark.skipif(not _CERTBOT, reason="PKIGEN_CERTBOT is not set; make clients sets it")
def test_certbot_renews_a_revoked_certificate(tmp_path: Path) -> None:
    out = tmp_path / "certbot"
    out.mkdir()
    with web_server(tmp_path) as (web, http_port):
        folder = environment_with("acme", f"{{http_port: {http_port}}}", tmp_path)
        with serving(folder) as enrolment:
            client = CertbotFromPypi(Acme(enrolment.url, enrolment.trust, web, http_port, 443), out)
            code, output = client.first(_NAME)
            assert code == 0, output
            first = client.serial(_NAME)
            revoke(folder, [_NAME])
            assert client.renew_if_due(_NAME) != first, (out / "logs" / "letsencrypt.log").read_text("utf-8")


@pytest.mark.needs("apachectl", "openssl")
def test_mod_md_gets_its_first_certificate(open_folder: Path) -> None:
    http_port = free_port()
    folder = environment_with("acme", f"{{http_port: {http_port}}}", open_folder)
    with (
        serving(folder) as enrolment,
        mod_md(open_folder, _NAME, enrolment.url, enrolment.trust, http_port) as server,
    ):
        server.activate()
        verify(enrolment, server.active, "-verify_hostname", _NAME)


@only_clients
@pytest.mark.needs("apachectl")
def test_mod_md_renews_when_the_servers_clock_is_ahead(open_folder: Path) -> None:
    port, http_port, apache = str(free_port()), free_port(), open_folder / "apache"
    apache.mkdir()
    folder = environment_with("acme", f"{{http_port: {http_port}}}", open_folder)
    with (
        serving(folder, "--enrol-port", port) as enrolment,
        mod_md(apache, _NAME, enrolment.url, enrolment.trust, http_port) as server,
    ):
        first = server.activate()
    with (
        serving(folder, "--enrol-port", port, "--at", "+60d") as enrolment,
        mod_md(apache, _NAME, enrolment.url, enrolment.trust, http_port) as server,
    ):
        assert server.activate().serial_number != first.serial_number
        assert "CA advises renew via ARI" in server.log, server.log


@only_clients
@pytest.mark.needs("apachectl")
def test_mod_md_renews_a_revoked_certificate(open_folder: Path) -> None:
    http_port, apache = free_port(), open_folder / "apache"
    apache.mkdir()
    folder = environment_with("acme", f"{{http_port: {http_port}}}", open_folder)
    with serving(folder) as enrolment:
        with mod_md(apache, _NAME, enrolment.url, enrolment.trust, http_port) as server:
            first = server.activate()
        revoke(folder, [_NAME])
        # mod_md asks for renewal information once per Retry-After, and when it starts.
        with mod_md(apache, _NAME, enrolment.url, enrolment.trust, http_port) as server:
            assert server.activate().serial_number != first.serial_number


@only_clients
@pytest.mark.needs("apachectl")
def test_mod_md_reports_a_rejection(open_folder: Path) -> None:
    http_port = free_port()
    folder = environment_with("acme", f"{{http_port: {http_port}}}", open_folder)
    with (
        serving(folder) as enrolment,
        mod_md(open_folder, "device.evil.test", enrolment.url, enrolment.trust, http_port) as server,
    ):
        server.wait_for(lambda: "rejectedIdentifier" in server.log or "is not allowed" in server.log)
        assert not server.staged.exists()
