"""ACME with real clients: first certificate, renewal, revocation, rejection."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.clients.enrolment.acme_clients import CLIENTS, Acme, Client, acme_server, acme_tiny, client_of
from tests.clients.enrolment.caddy import Caddy
from tests.clients.enrolment.conftest import only_clients, verify


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    with acme_server(tmp_path_factory.mktemp("acme"), "--control-port", "0") as server:
        yield server


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_client_gets_its_first_certificate(acme: Acme, tmp_path: Path, kind: type[Client]) -> None:
    client, name = client_of(kind, acme, tmp_path), f"{kind.__name__.lower()}.contoso.test"
    code, output = client.first(name)
    assert code == 0, output
    verify(acme.enrolment, client.certificate(name), "-verify_hostname", name)


@only_clients
@pytest.mark.parametrize("kind", CLIENTS)
def test_the_client_renews_and_revokes_and_reports_a_rejection(
    acme: Acme, tmp_path: Path, kind: type[Client]
) -> None:
    client, name = client_of(kind, acme, tmp_path), f"{kind.__name__.lower()}-2.contoso.test"
    code, output = client.first(name)
    assert code == 0, output
    first = x509.load_pem_x509_certificate(client.certificate(name).read_bytes())
    code, output = client.renew(name)
    assert code == 0, output
    renewed = x509.load_pem_x509_certificate(client.certificate(name).read_bytes())
    assert renewed.serial_number != first.serial_number
    code, output = client.revoke(name)
    assert code == 0, output
    crl = acme.enrolment.folder / "www" / "crl" / "ot-issuing.crl"
    revoked = x509.load_der_x509_crl(crl.read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(renewed.serial_number) is not None
    code, output = client.first("device.evil.test")
    assert code != 0
    # certbot 2.1 fails itself ("can't set attribute") on a problem document (certbot #9539).
    reasons = ("rejectedIdentifier", "is not allowed", "can't set attribute")
    assert any(reason in output for reason in reasons), output


@pytest.mark.needs("acme-tiny", "openssl")
def test_acme_tiny_gets_its_first_certificate(acme: Acme, tmp_path: Path) -> None:
    out = acme_tiny(acme, tmp_path, "tiny.contoso.test")
    verify(acme.enrolment, out, "-verify_hostname", "tiny.contoso.test")


@only_clients
@pytest.mark.needs("acme-tiny", "openssl")
def test_acme_tiny_reports_a_rejection(acme: Acme, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="rejectedIdentifier"):
        acme_tiny(acme, tmp_path, "tiny.evil.test")


def _presented(port: int, name: str, trust: Path) -> str:
    """Wait until a TLS server presents a certificate that openssl verifies; return openssl's output."""
    command = (
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        name,
        "-verify_return_error",
    )
    words = [*command, "-verify_hostname", name, "-CAfile", str(trust)]
    ends = time.monotonic() + 300
    while True:
        done = subprocess.run(words, capture_output=True, text=True, input="", timeout=60, check=False)
        if done.returncode == 0 or time.monotonic() > ends:
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        time.sleep(0.2)


@pytest.mark.needs("caddy", "openssl")
def test_caddy_gets_its_certificate_with_tls_alpn_01(acme: Acme, tmp_path: Path) -> None:
    with Caddy(acme, tmp_path, "caddy.contoso.test").running():
        output = _presented(acme.tls_port, "caddy.contoso.test", acme.trust)
    assert "Verify return code: 0 (ok)" in output


@only_clients
@pytest.mark.needs("caddy")
def test_caddy_renews(acme: Acme, tmp_path: Path) -> None:
    caddy = Caddy(acme, tmp_path, "caddy-2.contoso.test")
    with caddy.running():
        first = caddy.obtained()
    with caddy.running(always_renews=True):
        caddy.obtained(other_than=first)


@only_clients
@pytest.mark.needs("caddy")
def test_caddy_reports_a_rejection(acme: Acme, tmp_path: Path) -> None:
    caddy = Caddy(acme, tmp_path, "caddy.evil.test")
    with caddy.running():
        caddy.wait_for(lambda: "rejectedIdentifier" in caddy.log)
    assert caddy.certificate is None
