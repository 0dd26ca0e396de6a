"""CMP with each command of `openssl cmp`: first certificate, renewal, revocation, rejection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pkigen.faults.enrolment.cmp import FAILURES
from tests import tools
from tests.clients.conftest import run_any
from tests.clients.enrolment.conftest import (
    ALL,
    Enrolment,
    environment_with,
    make_request,
    only_clients,
    serving,
    verify,
)

pytestmark = pytest.mark.needs("openssl")
_SECRET = ("-secret", "pass:wonderful", "-ref", "lab")


@pytest.fixture(scope="module")
def cmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolment]:
    folder = environment_with("cmp", "{secret: wonderful, reference: lab}", tmp_path_factory.mktemp("cmp"))
    with serving(folder, "--control-port", "0") as enrolment:
        yield enrolment


@pytest.fixture(scope="module")
def device_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("device") / "device.key"
    tools.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    return key


def _openssl(cmp: Enrolment, command: str, *options: str | Path) -> tuple[int, str]:
    """Run `openssl cmp` over TLS; it trusts the environment's root."""
    server = ("-server", cmp.url, "-tls_used", "-tls_trusted", cmp.trust, "-trusted", cmp.trust)
    return run_any("openssl", "cmp", "-cmd", command, *server, "-batch", *options)


def _new(
    cmp: Enrolment, out: Path, name: str, *options: str | Path, command: str = "ir"
) -> tuple[Path, Path]:
    """Let openssl make a key and enroll it; return the paths of key and certificate."""
    key, certificate = out / f"{name}.key", out / f"{name}.crt"
    tools.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    names = ("-subject", f"/CN={name}", "-sans", name)
    code, output = _openssl(cmp, command, "-newkey", key, *names, "-certout", certificate, *options)
    assert code == 0, output
    verify(cmp, certificate, "-verify_hostname", name)
    return key, certificate


def _serial(certificate: Path) -> str:
    return tools.run("openssl", "x509", "-in", certificate, "-noout", "-serial")


def test_ir_with_a_secret_returns_a_certificate_and_the_root(cmp: Enrolment, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    _new(cmp, tmp_path, "first.contoso.test", *_SECRET, "-cacertsout", root)
    assert root.read_text().strip() == (cmp.folder / "authorities/root/root.crt").read_text().strip()


def test_ir_over_plain_http(cmp: Enrolment, tmp_path: Path) -> None:
    plain = f"{cmp.announced['url']}/.well-known/cmp/p/sensors"
    key, _ = make_request(tmp_path, "plain.contoso.test")
    out = tmp_path / "plain.crt"
    requested = ("-newkey", key, "-subject", "/CN=plain.contoso.test", "-certout", out)
    code, output = run_any("openssl", "cmp", "-cmd", "ir", "-server", plain, "-batch", *_SECRET, *requested)
    assert code == 0, output
    verify(cmp, out)


@only_clients
@pytest.mark.parametrize("mac", ["hmac-sha1", "hmacWithSHA256", "hmacWithSHA512"])
def test_cr_with_each_mac(cmp: Enrolment, tmp_path: Path, mac: str) -> None:
    options = (*_SECRET, "-mac", mac, "-digest", "sha256")
    _new(cmp, tmp_path, f"{mac}.contoso.test", *options, command="cr")


@only_clients
@pytest.mark.parametrize("confirm", ["-implicit_confirm", "-disable_confirm"])
def test_ir_without_confirmation(cmp: Enrolment, tmp_path: Path, confirm: str) -> None:
    _new(cmp, tmp_path, f"{confirm[1:8]}.contoso.test", *_SECRET, confirm)


@only_clients
def test_p10cr_returns_a_certificate(cmp: Enrolment, tmp_path: Path) -> None:
    _, csr = make_request(tmp_path, "ten.contoso.test")
    out = tmp_path / "ten.crt"
    code, output = _openssl(cmp, "p10cr", *_SECRET, "-csr", csr, "-certout", out)
    assert code == 0, output
    verify(cmp, out, "-verify_hostname", "ten.contoso.test")


def test_a_certificate_renews_and_revokes_itself(cmp: Enrolment, tmp_path: Path) -> None:
    key, first = _new(cmp, tmp_path, "kur.contoso.test", *_SECRET)
    second, new = tmp_path / "second.crt", tmp_path / "new.key"
    tools.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", new)
    update = ("-newkey", new, "-sans", "kur.contoso.test", "-certout", second)
    with cmp.fault("cmp-wrong-protection", endpoint="kur"):
        code, output = _openssl(cmp, "kur", "-cert", first, "-key", key, *update)
    assert (code, second.exists()) == (1, False), output
    code, output = _openssl(cmp, "kur", "-cert", first, "-key", key, *update)
    assert code == 0, output
    verify(cmp, second)
    assert _serial(second) != _serial(first)
    code, output = _openssl(cmp, "rr", "-cert", second, "-key", new, "-oldcert", second, "-revreason", "1")
    assert code == 0, output
    assert "revocation accepted" in output
    crl = cmp.folder / "authorities/ot-issuing/ot-issuing.crl"
    issuing = cmp.folder / "authorities/ot-issuing/ot-issuing.crt"
    code, output = run_any(
        *("openssl", "verify", "-crl_check", "-CRLfile", crl, "-CAfile", cmp.trust),
        *("-untrusted", issuing, second),
    )
    assert (code != 0, "certificate revoked" in output) == (True, True)
    code, output = _openssl(cmp, "kur", "-cert", second, "-key", new, *update)
    assert code != 0
    assert "certRevoked" in output


@only_clients
def test_rr_with_the_secret_revokes_a_certificate_of_the_template(cmp: Enrolment, tmp_path: Path) -> None:
    _, certificate = _new(cmp, tmp_path, "gone.contoso.test", *_SECRET)
    code, output = _openssl(cmp, "rr", *_SECRET, "-oldcert", certificate)
    assert code == 0, output
    code, output = _openssl(cmp, "rr", *_SECRET, "-oldcert", certificate)
    assert code != 0
    assert "certRevoked" in output


@only_clients
@pytest.mark.parametrize("kind", ["caCerts", "certReqTemplate", "currentCRL"])
def test_genm_returns_information(cmp: Enrolment, kind: str) -> None:
    code, output = _openssl(cmp, "genm", *_SECRET, "-infotype", kind)
    assert code == 0, output
    assert f"genp contains ITAV of type: id-it-{kind}" in output


def test_openssl_reports_a_name_that_is_not_allowed(cmp: Enrolment, tmp_path: Path) -> None:
    key, _ = make_request(tmp_path, "a.evil.test")
    out = ("-newkey", key, "-subject", "/CN=a.evil.test", "-certout", tmp_path / "none")
    code, output = _openssl(cmp, "ir", *_SECRET, *out)
    assert code != 0
    assert "the name 'a.evil.test' is not allowed" in output
    assert "badCertTemplate" in output


@only_clients
@pytest.mark.parametrize(
    ("options", "failure"),
    [
        (("-secret", "pass:wrong", "-ref", "lab"), "the MAC is wrong"),
        (("-secret", "pass:wonderful", "-ref", "other"), "the reference value (senderKID) is unknown"),
        (("-unprotected_requests",), "the message is not protected"),
    ],
)
def test_openssl_reports_a_wrong_secret(
    cmp: Enrolment, tmp_path: Path, options: tuple[str, ...], failure: str
) -> None:
    key, _ = make_request(tmp_path, "b.contoso.test")
    out = ("-newkey", key, "-subject", "/CN=b.contoso.test", "-certout", tmp_path / "none")
    code, output = _openssl(cmp, "ir", *options, *out, "-unprotected_errors")
    assert code != 0
    assert failure in output


_CERTIFICATE = ("-subject", "/CN=broken.contoso.test")
_FAULTS = [
    ("cmp-rejection", {}, "request rejected by server:PKIStatus: rejection; PKIFailureInfo: badRequest"),
    ("cmp-error", {}, "received error:PKIStatus: rejection; PKIFailureInfo: systemFailure"),
    ("cmp-error", {"endpoint": "certConf"}, "received error:PKIStatus: rejection"),
    ("cmp-status", {"status": "rejection"}, "request rejected by server:PKIStatus: rejection"),
    ("cmp-status", {"status": "waiting"}, "polling failed"),
    ("cmp-status", {"status": "keyUpdateWarning"}, "update already done for the cert"),
    ("cmp-unprotected", {}, "missing protection"),
    ("cmp-wrong-protection", {}, "wrong pbm value"),
    ("cmp-wrong-transaction", {}, "transactionid unmatched"),
    ("cmp-wrong-nonce", {}, "recipnonce unmatched"),
    ("cmp-polling", {"after": "60s"}, "total timeout"),
    ("cmp-confirmation-ignored", {}, "request sent: CERTCONF, expected response: PKICONF"),
    *(("cmp-rejection", {"failure": one}, f"PKIFailureInfo: {one}") for one in FAILURES if ALL),
]


@pytest.mark.parametrize(("fault", "options", "words"), _FAULTS)
def test_openssl_gives_up_with_a_fault(
    cmp: Enrolment, device_key: Path, tmp_path: Path, fault: str, options: dict[str, object], words: str
) -> None:
    out = tmp_path / "device.crt"
    request = (*_SECRET, "-newkey", device_key, *_CERTIFICATE, "-certout", out)
    # openssl expects that a round trip takes 5 s.
    timeout = ("-total_timeout", "6") if fault == "cmp-polling" else ()
    with cmp.fault(fault, **options):
        code, output = _openssl(cmp, "ir", *request, *timeout)
    assert (code, out.exists()) == (1, False), output
    assert words in output


@pytest.mark.parametrize(
    ("fault", "options", "words"),
    [
        ("cmp-status", {"status": "grantedWithMods"}, 'received "grantedWithMods" for certificate'),
        ("cmp-status", {"status": "revocationWarning"}, "a revocation of the cert is imminent"),
        ("cmp-status", {"status": "revocationNotification"}, "a revocation of the cert has occurred"),
        ("cmp-polling", {"times": 2, "identifier": "*.contoso.test"}, "starting to poll for response"),
        ("cmp-polling", {"identifier": "*.other.test"}, ""),
        ("expired", {}, ""),
    ],
)
def test_openssl_gets_a_certificate_with_a_fault(
    cmp: Enrolment, device_key: Path, tmp_path: Path, fault: str, options: dict[str, object], words: str
) -> None:
    out = tmp_path / "device.crt"
    with cmp.fault(fault, **options):
        code, output = _openssl(cmp, "ir", *_SECRET, "-newkey", device_key, *_CERTIFICATE, "-certout", out)
    assert code == 0, output
    assert words in output
    code, output = run_any("openssl", "x509", "-in", out, "-noout", "-checkend", "0")
    assert code == (1 if fault == "expired" else 0), output


@only_clients
def test_openssl_reports_the_rejection_of_a_revocation(cmp: Enrolment, tmp_path: Path) -> None:
    _, certificate = _new(cmp, tmp_path, "kept.contoso.test", *_SECRET)
    with cmp.fault("cmp-rejection", endpoint="rr", failure="notAuthorized"):
        code, output = _openssl(cmp, "rr", *_SECRET, "-oldcert", certificate)
    assert (code, "PKIFailureInfo: notAuthorized" in output) == (1, True), output
