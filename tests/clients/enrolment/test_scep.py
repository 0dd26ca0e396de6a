"""SCEP with strongSwan's pki and certmonger's scep-submit: certificates, renewal, revocation, rejection."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkigen.enrolment.scep import cms
from pkigen.faults.enrolment.scep import FAILURES
from tests import tools
from tests.clients.conftest import run_any
from tests.clients.enrolment.conftest import ALL, Enrolment, environment_with, only_clients, serving, verify
from tests.enrolment.scep.client import Device

pytestmark = pytest.mark.needs("openssl")
_FAILURES = FAILURES if ALL else FAILURES[:1]


@pytest.fixture(scope="module")
def scep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolment]:
    folder = environment_with("scep", "{challenge: wonderful}", tmp_path_factory.mktemp("scep"))
    with serving(folder, "--control-port", "0") as enrolment:
        yield enrolment


def _url(scep: Enrolment) -> str:
    """Return the URL on the port without TLS."""
    return f"{scep.announced['url']}/scep/sensors"


@pytest.fixture
def ra(scep: Enrolment, tmp_path: Path) -> Path:
    """The RA certificate in a response to GetCACert."""
    path = tmp_path / "ra.p7"
    tools.run("curl", "-sS", "--fail", "-o", path, f"{_url(scep)}?operation=GetCACert")
    printed = tools.run("openssl", "pkcs7", "-inform", "DER", "-in", path, "-print_certs")
    certificate = tmp_path / "ra.pem"
    certificate.write_text(printed.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    return certificate


def _new_key(out: Path, name: str) -> Path:
    key = out / f"{name}.key"
    tools.run("openssl", "genrsa", "-traditional", "-out", key, "2048")
    return key


def _pki(scep: Enrolment, ra: Path, key: Path, name: str, *options: str | Path) -> tuple[int, str]:
    """Run strongSwan's client."""
    issuing = scep.folder / "authorities/ot-issuing/ot-issuing.crt"
    trust = ("--cacert-enc", ra, "--cacert-sig", ra, "--cacert", issuing, "--cacert", scep.trust)
    command = ("pki", "--scep", "--url", _url(scep), "--in", key, "--dn", f"CN={name}", "--san", name)
    return run_any(*command, *trust, "--outform", "pem", *options)


def _certificate(output: str, path: Path) -> Path:
    """Write the certificate that the client printed."""
    begin, _, rest = output.partition("-----BEGIN CERTIFICATE-----")
    assert rest, begin
    body = rest.partition("-----END CERTIFICATE-----")[0]
    path.write_text(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n")
    return path


@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl")
def test_strongswan_gets_the_certificates_of_ca_and_ra(scep: Enrolment, tmp_path: Path) -> None:
    out = ("--caout", tmp_path / "ca.pem", "--raout", tmp_path / "ra.pem", "--outform", "pem")
    code, output = run_any("pki", "--scepca", "--url", _url(scep), *out)
    assert code == 0, output
    assert "RA cert is trusted" in output
    assert (tmp_path / "ca.pem").read_text() == (scep.folder / "authorities/root/root.crt").read_text()


@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl", "curl")
def test_strongswan_obtains_renews_and_revokes_a_certificate(
    scep: Enrolment, ra: Path, tmp_path: Path
) -> None:
    name = "swan.contoso.test"
    key = _new_key(tmp_path, "first")
    code, output = _pki(
        scep, ra, key, name, "--password", "wonderful", "--digest", "sha512", "--cipher", "des3"
    )
    assert code == 0, output
    first = _certificate(output, tmp_path / "first.crt")
    verify(scep, first, "-verify_hostname", name)
    new = _new_key(tmp_path, "second")
    code, output = _pki(scep, ra, new, name, "--cert", first, "--key", key)
    assert code == 0, output
    second = _certificate(output, tmp_path / "second.crt")
    verify(scep, second)
    tools.python("-m", "pkigen", "revoke", scep.folder, name, "--reason", "keyCompromise")
    code, output = _pki(scep, ra, key, name, "--cert", second, "--key", new)
    assert code != 0
    assert "badMessageCheck" in output


@only_clients
@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl", "curl")
@pytest.mark.parametrize(("name", "password"), [("a.evil.test", "wonderful"), ("a.contoso.test", "wrong")])
def test_strongswan_reports_a_rejection(
    scep: Enrolment, ra: Path, tmp_path: Path, name: str, password: str
) -> None:
    code, output = _pki(scep, ra, _new_key(tmp_path, "device"), name, "--password", password)
    assert code != 0
    assert "badRequest" in output


def _submit(scep: Enrolment, *options: str | Path) -> tuple[int, str]:
    return run_any("scep-submit", "-u", _url(scep), *options)


@pytest.mark.needs("scep-submit")
def test_certmonger_reads_capabilities_and_certificates(scep: Enrolment) -> None:
    code, output = _submit(scep, "-c")
    assert code == 0, output
    assert {"AES", "POSTPKIOperation", "Renewal", "SHA-256"} <= set(output.split())
    code, output = _submit(scep, "-C")
    assert (code, output.count("BEGIN CERTIFICATE")) == (0, 3)


@pytest.mark.needs("scep-submit", "curl")
@pytest.mark.parametrize(("challenge", "expected"), [("wonderful", 0), ("wrong", 2)])
def test_certmonger_verifies_the_response_to_a_request(
    scep: Enrolment, ra: Path, tmp_path: Path, challenge: str, expected: int
) -> None:
    """scep-submit sends a message of certmonger, here of the test client, and verifies the response."""
    device = Device(f"{challenge}.contoso.test")
    message = tmp_path / "message.pem"
    text = base64.encodebytes(
        device.message(_der(ra), device.request(challenge), cipher=cms.AES_128, digest="sha512")
    )
    message.write_bytes(b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n")
    issuing = scep.folder / "authorities/ot-issuing/ot-issuing.crt"
    code, output = _submit(scep, "-r", ra, "-N", scep.trust, "-I", issuing, "-p", message)
    assert code == expected, output
    if expected == 0:
        enveloped = output.partition("-----BEGIN PKCS7-----")[2].partition("-----END PKCS7-----")[0]
        (certificate, *_) = device.decrypted(base64.b64decode(enveloped), tmp_path)
        assert certificate.public_key() == device.key.public_key()


def _der(certificate: Path) -> bytes:
    (tmp := certificate.with_suffix(".der")).unlink(missing_ok=True)
    tools.run("openssl", "x509", "-in", certificate, "-outform", "DER", "-out", tmp)
    return tmp.read_bytes()


@pytest.fixture(scope="module")
def device_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _new_key(tmp_path_factory.mktemp("device"), "device")


@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl", "curl")
@pytest.mark.parametrize(
    ("fault", "options", "words"),
    [
        ("scep-capabilities-empty", {}, "sha256 digest algorithm not supported by CA"),
        ("scep-capabilities-html", {}, "sha256 digest algorithm not supported by CA"),
        ("scep-capabilities-lowercase", {}, ""),
        ("scep-pending", {}, "SCEP request pending, polling every 1 seconds up to 1 seconds"),
        *(
            ("scep-failure", {"reason": one}, f"failInfo:     {one}")
            for one in FAILURES
            if ALL or one == "badTime"
        ),
        ("scep-wrong-transaction", {}, "transaction ID of scep response does not match"),
        ("scep-wrong-nonce", {}, ""),
        ("scep-des", {}, ""),
        ("expired", {"identifier": "*.contoso.test"}, ""),
        ("scep-pending", {"identifier": "*.other.test"}, ""),
    ],
)
def test_strongswan_with_a_fault(
    scep: Enrolment,
    ra: Path,
    device_key: Path,
    tmp_path: Path,
    fault: str,
    options: dict[str, object],
    words: str,
) -> None:
    """Without ``words`` it gets a certificate, otherwise it reports them."""
    waiting = ("--interval", "1", "--maxpolltime", "1")
    with scep.fault(fault, **options):
        result = _pki(scep, ra, device_key, "broken.contoso.test", "--password", "wonderful", *waiting)
    code, output = result
    assert (code, "BEGIN CERTIFICATE" in output) == ((1, False) if words else (0, True)), output
    assert words in output
    if not words:
        certificate = _certificate(output, tmp_path / "device.crt")
        code, output = run_any("openssl", "x509", "-in", certificate, "-noout", "-checkend", "0")
        assert code == (1 if fault == "expired" else 0), output


@only_clients
@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl", "curl")
def test_strongswan_gets_a_certificate_after_a_pending_request(
    scep: Enrolment, ra: Path, device_key: Path
) -> None:
    with scep.fault("scep-pending", times=1):
        code, output = _pki(
            scep, ra, device_key, "late.contoso.test", "--password", "wonderful", "--interval", "1"
        )
    assert (code, "BEGIN CERTIFICATE" in output) == (0, True), output


@pytest.mark.needs("pki", "strongswan-openssl", "strongswan-curl", "curl")
def test_strongswan_with_an_ra_whose_key_usages_are_exchanged(
    scep: Enrolment, ra: Path, device_key: Path, tmp_path: Path
) -> None:
    out = ("--caout", tmp_path / "ca.pem", "--raout", tmp_path / "pair.pem", "--outform", "pem")
    with scep.fault("scep-ra-wrong-usage"):
        code, output = run_any("pki", "--scepca", "--url", _url(scep), *out)
    assert code == 0, output
    pair = {_usage(path): path for path in tmp_path.glob("pair*.pem")}
    assert set(pair) == {"Key Encipherment", "Digital Signature"}
    options = ("--password", "wonderful", "--cacert-enc", pair["Digital Signature"])
    code, output = _pki(scep, pair["Key Encipherment"], device_key, "pair.contoso.test", *options)
    assert (code, "BEGIN CERTIFICATE" in output) == (0, True), output


def _usage(certificate: Path) -> str:
    text = tools.run("openssl", "x509", "-in", certificate, "-noout", "-ext", "keyUsage")
    return text.strip().splitlines()[-1].strip()


@only_clients
@pytest.mark.needs("scep-submit")
@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        ("scep-capabilities-empty", 2, "no response to"),
        ("scep-capabilities-html", 0, "<h1>Not Found</h1>"),
        ("scep-capabilities-lowercase", 0, "postpkioperation"),
    ],
)
def test_certmonger_with_faulty_capabilities(scep: Enrolment, fault: str, expected: int, words: str) -> None:
    with scep.fault(fault):
        code, output = _submit(scep, "-c")
    assert (code, words in output) == (expected, True), output
