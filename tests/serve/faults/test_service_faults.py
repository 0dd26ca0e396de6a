"""Every fault that is about the service arrives at a client, at a sound authority's URL, as it is meant."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.environment.revoke import revoke
from pkigen.plan.service_faults import service_faults
from pkigen.serve import serve_controlled
from pkigen.serve.control.handle import ServerHandle
from pkigen.x509 import CertificateList
from tests.openssl import with_new_names
from tests.serve.controlled_profile import PROFILE

_NOW = datetime.now(UTC)
_IDP = "Issuing Distribution Point: critical "
_NOBODY = "6E6F626F6479"
_UNKNOWN = r"1\.3\.6\.1\.4\.1\.55738\.99\.5: critical"
_REPEATED = rf"{_NOBODY}.*{_NOBODY}"

# What `openssl crl -text` says of a CRL, as one line; "!" before what it must not say.
CRLS = {
    "crl-missing-number": "!X509v3 CRL Number",
    "crl-missing-aki": "!Authority Key Identifier",
    "crl-number-critical": "CRL Number: critical 1 ",
    "crl-number-negative": "CRL Number: -1 ",
    "crl-number-21-octets": "CRL Number: 0x010{40} ",
    "crl-number-goes-back": "CRL Number: 0 ",
    "crl-aki-mismatch": "Authority Key Identifier: 00:01:02:03:04",
    "crl-unknown-critical": rf"CRL Number: 1 {_UNKNOWN}",
    "crl-entry-unknown-critical": rf"{_NOBODY} .*{_UNKNOWN}",
    "crl-delta-without-base": "Delta CRL Indicator: critical 0 ",
    "crl-duplicate-extension": "CRL Number: 1 X509v3 CRL Number: 0 ",
    "crl-duplicate-entry": _REPEATED,
    "crl-reason-unspecified": rf"{_NOBODY} .*Reason Code: Unspecified",
    "crl-v1-with-exts": r"Version 1 \(0x0\) .*CRL Number: 1 ",
    "crl-v3": r"Version unknown \(2\)",
    "crl-empty-revoked-sequence": "No Revoked Certificates",
    "crl-trailing-data": "Revoked Certificates: ",
    "crl-idp-uri-mismatch": rf"{_IDP}Full Name: URI:http://crl.invalid/elsewhere.crl",
    "crl-idp-noncritical-mismatch": "Issuing Distribution Point: Full Name: URI:http://crl.invalid/elsewhere.crl",
    "crl-idp-only-ca": f"{_IDP}Only CA Certificates",
    "crl-idp-only-attribute": f"{_IDP}Only Attribute Certificates",
    "crl-idp-user-and-ca": f"{_IDP}Only User Certificates Only CA Certificates",
    "crl-idp-some-reasons": f"{_IDP}Only Some Reasons: Key Compromise",
    "crl-idp-indirect": f"{_IDP}Indirect CRL",
    "crl-idp-empty": f"{_IDP}<EMPTY>",
    "crl-wrong-issuer": "Issuer: O=Another Test PKI, CN=Another Test CA",
    "crl-wrong-signer": "Issuer: CN=issuing ",
    "crl-bad-signature": "Issuer: CN=issuing ",
    "crl-algorithm-mismatch": "Signature Algorithm: ecdsa-with-SHA256",
    "crl-algorithm-mismatch-invalid": "Signature Algorithm: ecdsa-with-SHA384",
    "crl-sha1": "ecdsa-with-SHA1 ",
    "crl-md5": "md5WithRSAEncryption",
    "crl-stale": "Issuer: CN=issuing ",
    "crl-expired": "Issuer: CN=issuing ",
    "crl-not-yet-valid": "Issuer: CN=issuing ",
    "crl-next-before-this": "Issuer: CN=issuing ",
    "crl-missing-next-update": "Next Update: NONE",
}
# How `openssl verify -crl_check` ends, where the CRL is read as such.
REFUSED = {
    "crl-stale": "CRL has expired",
    "crl-expired": "CRL has expired",
    "crl-next-before-this": "CRL has expired",
    "crl-not-yet-valid": "CRL is not yet valid",
    "crl-wrong-signer": "CRL signature failure",
    "crl-bad-signature": "CRL signature failure",
    "crl-algorithm-mismatch-invalid": "CRL signature failure",
    "crl-unknown-critical": "unhandled critical CRL extension",
    "crl-wrong-issuer": "unable to get certificate CRL",
}
UNREADABLE = {"crl-truncated", "crl-empty", "crl-is-a-certificate", "crl-pem"}
OVER_HTTP: dict[str, object] = {
    "crl-missing": 404,
    "crl-http-404": 404,
    "crl-http-500": 500,
    "crl-slow": httpx.ReadTimeout,
    "crl-slow-start": httpx.ReadTimeout,
    "crl-truncated-body": httpx.RemoteProtocolError,
    "crl-oversize": "oversize",
    "crl-repeated": "repeated",
    "crl-endless-body": "endless",
    "crl-wrong-content-type": "text/plain",
    "crl-redirect": "redirect",
    "crl-redirect-loop": httpx.TooManyRedirects,
    "crl-reset": httpx.ReadError,
    "crl-https-only": httpx.RemoteProtocolError,
    "crl-html": "text/html; charset=utf-8",
    "aia-returns-404": 404,
    "aia-returns-loop": httpx.TooManyRedirects,
    "aia-returns-pem": "pem",
    "aia-returns-leaf": "leaf",
    "cdp-unreachable": httpx.ConnectError,
}
# What `openssl ocsp -resp_text` says, as one line.
_DELEGATE = "(missing ocspsigning usage|root ca not trusted|certificate verify error)"
_NO_SIGNER = "signer certificate not found"
OCSP = {
    "ocsp-good": "sensor.crt: good",
    "ocsp-revoked": "sensor.crt: revoked",
    "ocsp-unknown": "sensor.crt: unknown",
    "ocsp-stale": "status expired",
    "ocsp-future": "status not yet valid",
    "ocsp-next-before-this": "status expired",
    "ocsp-no-next-update-old": r"sensor.crt: good This Update: [^N]+$",
    "ocsp-certid-serial": "No Status found",
    "ocsp-certid-namehash": "No Status found",
    "ocsp-certid-keyhash": "No Status found",
    "ocsp-good-and-revoked": "Cert Status: good .*Cert Status: revoked",
    "ocsp-empty-responses": "No Status found",
    "ocsp-critical-extension": r"1\.2\.3\.4\.5\.6: critical",
    "ocsp-nonce-wrong": "Nonce Verify error",
    "ocsp-nonce-missing": "no nonce in response",
    "ocsp-certid-sha256": "No Status found",
    "ocsp-critical-single-ext": r"1\.2\.3\.4\.5\.6: critical",
    "ocsp-error-status-with-bytes": r"trylater \(3\)",
    "ocsp-version-2": r"Version: 2 \(0x1\)",
    "ocsp-produced-early": f"Produced At: [^G]* {_NOW.year - 1} GMT",
    "ocsp-produced-late": f"Produced At: [^G]* {_NOW.year + 1} GMT",
    "ocsp-status-malformed-request": r"malformedrequest \(1\)",
    "ocsp-status-internal-error": r"internalerror \(2\)",
    "ocsp-status-try-later": r"trylater \(3\)",
    "ocsp-status-sig-required": r"sigrequired \(5\)",
    "ocsp-status-unauthorized": r"unauthorized \(6\)",
    "ocsp-status-4": r"\(UNKNOWN\) \(4\)",
    "ocsp-no-bytes": "no response data",
    "ocsp-bad-type": "not basic response",
    "ocsp-trailing-data": "inconsistent content length",
    "ocsp-truncated": "inconsistent content length",
    "ocsp-empty": "Error querying OCSP responder",
    "ocsp-html": "missing asn1 encoding",
    "ocsp-http-404": "code[= ]404",
    "ocsp-http-500": "code[= ]500",
    "ocsp-slow": "(timeout|timed out)",
    "ocsp-delegate-good": "^Response verify OK .*OCSP Signing .*OCSP No Check",
    "ocsp-bad-signature": "Response Verify Failure",
    "ocsp-wrong-key": "Response Verify Failure",
    "ocsp-unrelated-responder": "self-signed certificate",
    "ocsp-delegate-no-eku": _DELEGATE,
    "ocsp-delegate-wrong-eku": _DELEGATE,
    "ocsp-delegate-expired": "certificate has expired",
    "ocsp-delegate-other-ca": "root ca not trusted",
    "ocsp-delegate-bad-signature": "certificate signature failure",
    "ocsp-delegate-missing": _NO_SIGNER,
    "ocsp-delegate-no-nocheck": "^(?!.*OCSP No Check).*sensor.crt: good",
    "ocsp-responder-id-mismatch": _NO_SIGNER,
    "ocsp-sha1-signature": "ecdsa-with-SHA1",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build({**PROFILE, "negatives": []}, tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def running(environment: Environment) -> Iterator[ServerHandle]:
    with serve_controlled(environment.folder) as running:
        yield running


@pytest.fixture
def stub(running: ServerHandle) -> Iterator[ServerHandle]:
    yield running
    running.clear()


def test_every_service_fault_has_a_test() -> None:
    judged = [*CRLS, *UNREADABLE, *OVER_HTTP, *OCSP]
    assert len(judged) == len(set(judged))
    assert set(judged) == service_faults().keys()


def _fetch(stub: ServerHandle, path: str, seconds: float = 10) -> httpx.Response:
    return httpx.get(stub.url + path, follow_redirects=True, timeout=seconds)


def _openssl(*command: str | Path) -> tuple[str, str]:
    done = subprocess.run(["openssl", *command], capture_output=True, text=True, check=False)
    return " ".join(with_new_names(done.stdout).split()) + " ", " ".join(done.stderr.split())


def _serial(environment: Environment, name: str) -> str:
    return str(environment[name].data["serial"]).upper()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", [*CRLS, *sorted(UNREADABLE)])
def test_a_crl_has_exactly_the_defect_of_the_fault(
    fault: str, stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    name = "other" if fault == "crl-md5" else "issuing"
    sound = (environment.www / f"crl/{name}.crl").read_bytes()
    stub.fault(of=name, id=fault)
    answer = _fetch(stub, f"/lab/crl/{name}.crl")
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert answer.content != sound
    assert answer.content == _fetch(stub, f"/crl/{name}.crl").content
    assert (environment.www / f"crl/{name}.crl").read_bytes() == sound
    (tmp_path / "crl").write_bytes(answer.content)
    text, why = _openssl("crl", "-inform", "DER", "-in", tmp_path / "crl", "-noout", "-text")
    if fault in UNREADABLE:
        assert re.search("Could not (read|find) CRL|Unable to load CRL", why)
        return
    expected = CRLS[fault]
    assert (re.search(expected.lstrip("!"), text) is None) is expected.startswith("!"), text
    if name == "issuing" and fault != "crl-empty-revoked-sequence":
        assert _serial(environment, "retired") in text.replace("Serial Number: 0", "Serial Number: ")
    if fault == "crl-trailing-data":
        assert answer.content.endswith(bytes(2))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", REFUSED)
def test_openssl_rejects_a_certificate_because_of_the_served_crl(
    fault: str, stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    stub.fault(of="issuing", id=fault)
    (tmp_path / "crl").write_bytes(_fetch(stub, "/crl/issuing.crl").content)
    _openssl("crl", "-inform", "DER", "-in", tmp_path / "crl", "-out", tmp_path / "crl.pem")
    sensor = environment["sensor"]
    command = ("verify", "-crl_check", "-CAfile", environment.trust, "-untrusted", sensor.chain)
    _, why = _openssl(*command, "-CRLfile", tmp_path / "crl.pem", sensor.certificate)
    assert REFUSED[fault].lower() in why.lower()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", OVER_HTTP)
def test_a_response_has_exactly_the_http_fault(
    fault: str, stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    path = "/ca/issuing.crt" if fault.startswith("aia-") else "/crl/issuing.crl"
    sound = (environment.www / path.removeprefix("/")).read_bytes()
    stub.fault(of="" if fault == "cdp-unreachable" else "issuing", id=fault)
    expected = OVER_HTTP[fault]
    if isinstance(expected, type) and issubclass(expected, Exception):
        with pytest.raises(expected):
            # One byte per second: after half a second without one, the response is incomplete.
            _fetch(stub, path, 0.5 if "slow" in fault else 10)
        return
    if expected == "endless":
        received = 0
        with httpx.stream("GET", stub.url + path) as stream:
            for chunk in stream.iter_raw():
                received += len(chunk)
                if received > 10 * 65536:
                    return
        raise AssertionError(f"the response ended after {received} bytes")
    answer = _fetch(stub, path)
    (tmp_path / "got").write_bytes(answer.content)
    match expected:
        case int():
            assert answer.status_code == expected
        case "oversize":
            assert 34_999_900 < len(answer.content) <= 35_000_000
            assert answer.content[-256:] != sound[-256:]
        case "repeated":
            assert answer.content == sound * 1000
        case "redirect":
            assert (len(answer.history), answer.content) == (1, sound)
        case "pem":
            assert "CN=issuing" in _openssl("x509", "-in", tmp_path / "got", "-noout", "-subject")[0]
        case "leaf":
            subject = _openssl("x509", "-inform", "DER", "-in", tmp_path / "got", "-noout", "-subject")
            assert "sensor.contoso.test" in subject[0]
        case _:
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, expected)
            assert (answer.content == sound) is (fault == "crl-wrong-content-type")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("place", [{"of": "issuing"}, {"url": "/ocsp"}])
@pytest.mark.parametrize("fault", OCSP)
def test_an_ocsp_response_has_exactly_the_defect_of_the_fault(
    fault: str, place: dict[str, str], stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    stub.fault(id=fault, **place)
    answer = _ask(stub, environment, "sensor", tmp_path, "1" if fault == "ocsp-slow" else "10")
    assert re.search(OCSP[fault], answer), answer


def _ask(stub: ServerHandle, environment: Environment, name: str, folder: Path, seconds: str = "10") -> str:
    """What openssl says of a certificate's OCSP answer, on one line."""
    case = environment[name]
    issuer = environment.folder / f"authorities/{case.data['issuer']}/{case.data['issuer']}.crt"
    trusted = folder / "trusted.pem"
    trusted.write_bytes(environment.trust.read_bytes() + issuer.read_bytes())
    command = ("ocsp", "-resp_text", "-timeout", seconds, "-url", f"{stub.url}/lab/ocsp", "-CAfile", trusted)
    out, err = _openssl(*command, "-issuer", issuer, "-cert", case.certificate)
    return f"{err} {out.strip()}"


@pytest.mark.needs("openssl")
def test_a_faulty_response_is_otherwise_correct(
    stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    for fault in ("ocsp-stale", "ocsp-delegate-good", "ocsp-bad-signature"):
        stub.fault(of="issuing", id=fault)
        assert "Cert Status: revoked" in _ask(stub, environment, "retired", tmp_path), fault
        assert "Cert Status: good" in _ask(stub, environment, "sensor", tmp_path), fault


@pytest.mark.needs("openssl")
def test_responses_for_another_issuer_have_no_fault(
    stub: ServerHandle, environment: Environment, tmp_path: Path
) -> None:
    for fault in ("ocsp-status-try-later", "ocsp-http-500", "ocsp-revoked"):
        stub.fault(of="issuing", id=fault)
        answer = _ask(stub, environment, "console", tmp_path)
        assert "Response verify OK" in answer, fault
        assert "console.crt: good" in answer, fault


def test_a_fault_also_applies_to_get_requests(stub: ServerHandle, environment: Environment) -> None:
    query = "MEIwQDA%2BMDwwOjAJ"
    right = _fetch(stub, f"/ocsp/{query}").content
    stub.fault(url="/ocsp", id="ocsp-http-404")
    assert _fetch(stub, f"/ocsp/{query}").status_code == 404
    stub.clear()
    stub.fault(of="issuing", id="ocsp-http-404")
    # It is about nobody's certificate.
    assert _fetch(stub, f"/ocsp/{query}").content == right


def test_a_faulty_crl_lists_later_revocations(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    environment = build({**PROFILE, "negatives": []}, tmp_path_factory.mktemp("revoked"))
    with serve_controlled(environment.folder) as stub:
        stub.fault(of="issuing", id="crl-stale")
        before = CertificateList(_fetch(stub, "/crl/issuing.crl").content)
        revoke(environment.folder, ["sensor"], reason="superseded")
        after = CertificateList(_fetch(stub, "/crl/issuing.crl").content)
    sensor = int(environment["sensor"].data["serial"], 16)
    assert sensor not in {entry.serial for entry in before.entries()}
    assert sensor in {entry.serial for entry in after.entries()}
    assert after.next_update is not None
    assert after.next_update < datetime.now(UTC)
