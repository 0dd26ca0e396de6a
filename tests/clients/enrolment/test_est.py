"""EST with strongSwan's pki, and with curl and openssl: first certificate, renewal, revocation, rejection."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tools
from tests.clients.conftest import run_any
from tests.clients.enrolment.conftest import Enrolment, environment_with, make_request, serving, verify

pytestmark = pytest.mark.needs("openssl")
_SETTINGS = "{user: device, passphrase: wonderful}"
_BASIC = "device:wonderful"


@pytest.fixture(scope="module")
def est(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolment]:
    folder = environment_with("est", _SETTINGS, tmp_path_factory.mktemp("est"))
    with serving(folder) as enrolment:
        yield enrolment


def _url(est: Enrolment) -> str:
    """Return the URL of the template without a name: strongSwan tries only the first address of localhost."""
    return f"{est.base}/est/sensors".replace("//localhost:", "//127.0.0.1:")


def _pki(est: Enrolment, csr: Path, *options: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run strongSwan's client; its version 5.9.8 has no labels, so the URL names the template."""
    command = ("pki", "--est", "--url", _url(est), "--cacert", est.trust, "--in", csr, "--outform", "pem")
    words = [str(word) for word in (*command, *options)]
    return subprocess.run(words, capture_output=True, timeout=300, check=False)


def _serial(certificate: Path) -> str:
    return tools.run("openssl", "x509", "-in", certificate, "-noout", "-serial")


@pytest.mark.needs("pki", "strongswan-openssl")
def test_strongswan_gets_the_ca_certificates(est: Enrolment, tmp_path: Path) -> None:
    out = tmp_path / "ca.pem"
    command = (
        "pki",
        "--estca",
        "--url",
        _url(est),
        "--cacert",
        est.trust,
        "--caout",
        out,
        "--outform",
        "pem",
    )
    code, output = run_any(*command)
    assert code == 0, output
    assert out.read_text() == (est.folder / "authorities/root/root.crt").read_text()
    assert "Sub CA cert is trusted" in output


@pytest.mark.needs("pki", "strongswan-openssl", "curl")
def test_strongswan_obtains_renews_and_revokes_a_certificate(est: Enrolment, tmp_path: Path) -> None:
    key, csr = make_request(tmp_path, "swan.contoso.test")
    first, second = tmp_path / "first.crt", tmp_path / "second.crt"
    done = _pki(est, csr, "--userpass", _BASIC)
    assert done.returncode == 0, done.stderr
    first.write_bytes(done.stdout)
    verify(est, first, "-verify_hostname", "swan.contoso.test")
    # The subject of the certificate is that of the request, so the same request renews it.
    renewed = _pki(est, csr, "--cert", first, "--key", key)
    assert renewed.returncode == 0, renewed.stderr
    second.write_bytes(renewed.stdout)
    verify(est, second)
    assert _serial(second) != _serial(first)
    tools.python("-m", "pkigen", "revoke", est.folder, "swan.contoso.test", "--reason", "keyCompromise")
    refused = _pki(est, csr, "--cert", second, "--key", key)
    assert refused.returncode != 0
    assert b"HTTP 403" in refused.stderr
    crl = tmp_path / "issuing.crl"
    tools.run("curl", "-sS", "-o", crl, f"{est.announced['url']}/crl/ot-issuing.crl")
    code, output = run_any(
        *("openssl", "verify", "-crl_check", "-CRLfile", crl, "-CAfile", est.trust),
        *("-untrusted", est.folder / "authorities/ot-issuing/ot-issuing.crt", second),
    )
    assert (code != 0, "certificate revoked" in output) == (True, True)


@pytest.mark.needs("pki", "strongswan-openssl")
@pytest.mark.parametrize(
    ("name", "basic", "status"), [("a.evil.test", _BASIC, b"403"), ("a.contoso.test", "device:x", b"401")]
)
def test_strongswan_reports_a_rejection(
    est: Enrolment, tmp_path: Path, name: str, basic: str, status: bytes
) -> None:
    done = _pki(est, make_request(tmp_path, name)[1], "--userpass", basic)
    assert done.returncode != 0
    assert b"HTTP " + status in done.stderr


def _curl(est: Enrolment, operation: str, *options: str | Path) -> tuple[int, str]:
    return run_any("curl", "-sS", "--cacert", est.trust, *options, f"{est.url}/{operation}")


@pytest.mark.needs("curl")
def test_curl_and_openssl_get_and_renew_a_certificate(est: Enrolment, tmp_path: Path) -> None:
    key, csr = make_request(tmp_path, "curl.contoso.test")
    body, p7, first = tmp_path / "body", tmp_path / "answer", tmp_path / "first.crt"
    body.write_bytes(base64.encodebytes(csr.read_bytes()))
    post = ("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{body}", "--fail", "-o", p7)
    code, output = _curl(est, "simpleenroll", "-u", _BASIC, *post)
    assert code == 0, output
    _extract(p7, first)
    verify(est, first, "-verify_hostname", "curl.contoso.test")
    second = tmp_path / "second.crt"
    code, output = _curl(est, "simplereenroll", "--cert", first, "--key", key, *post)
    assert code == 0, output
    _extract(p7, second)
    verify(est, second)
    assert _serial(second) != _serial(first)


def _extract(p7: Path, out: Path) -> None:
    """Let openssl write the certificate in a response."""
    der = p7.with_suffix(".der")
    tools.run("openssl", "base64", "-d", "-A", "-in", p7, "-out", der)
    tools.run("openssl", "pkcs7", "-inform", "DER", "-in", der, "-print_certs", "-out", out)


@pytest.mark.needs("curl")
def test_curl_sees_the_reason_of_a_rejection(est: Enrolment, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(base64.b64encode(make_request(tmp_path, "a.evil.test")[1].read_bytes()))
    post = ("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{body}")
    code, output = _curl(est, "simpleenroll", "-u", _BASIC, "-w", "%{http_code}", *post)
    assert code == 0
    assert "the name 'a.evil.test' is not allowed" in output
    assert output.endswith("403")
