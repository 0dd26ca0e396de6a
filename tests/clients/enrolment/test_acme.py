"""ACME with real clients: first certificate, renewal, revocation, rejection."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from tests import tools
from tests.clients.conftest import free_port
from tests.clients.enrolment.acme_clients import CLIENTS, Acme, Client, acme_server, client_of
from tests.clients.enrolment.conftest import make_request, only_clients, verify


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
    _, request = make_request(tmp_path, "tiny.contoso.test")
    csr, account, out = tmp_path / "tiny.pem", tmp_path / "account.key", tmp_path / "tiny.crt"
    tools.run("openssl", "req", "-inform", "DER", "-in", request, "-out", csr)
    tools.run("openssl", "genrsa", "-traditional", "-out", account, "2048")
    command = ("acme-tiny", "--account-key", account, "--csr", csr, "--acme-dir", acme.challenges)
    options = ("--directory-url", acme.url, "--disable-check", "--quiet")
    environ = {"SSL_CERT_FILE": str(acme.trust)}
    out.write_text(tools.run(*command, *options, environ=environ))
    verify(acme.enrolment, out, "-verify_hostname", "tiny.contoso.test")


@contextmanager
def _running(*command: str | Path, **environ: str) -> Iterator[None]:
    """Run a server until the block ends."""
    with subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environ},
    ) as process:
        try:
            yield
        finally:
            process.terminate()


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
    ends = time.monotonic() + 60
    while True:
        done = subprocess.run(words, capture_output=True, text=True, input="", timeout=20, check=False)
        if done.returncode == 0 or time.monotonic() > ends:
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        time.sleep(0.2)


@pytest.mark.needs("caddy", "openssl")
def test_caddy_gets_its_certificate_with_tls_alpn_01(acme: Acme, tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(
        f"""{{
    admin off
    storage file_system {tmp_path}/storage
    http_port {free_port()}
    https_port {acme.tls_port}
    default_bind 127.0.0.1
    acme_ca {acme.url}
    acme_ca_root {acme.trust}
    skip_install_trust
}}
caddy.contoso.test {{
    tls {{
        issuer acme {{
            dir {acme.url}
            trusted_roots {acme.trust}
            disable_http_challenge
        }}
    }}
    respond "ok"
}}
"""
    )
    command = ("caddy", "run", "--config", tmp_path / "Caddyfile", "--adapter", "caddyfile")
    with _running(*command, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path)):
        output = _presented(acme.tls_port, "caddy.contoso.test", acme.trust)
    assert "Verify return code: 0 (ok)" in output
