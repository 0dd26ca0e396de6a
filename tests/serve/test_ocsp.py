"""The stub's OCSP responder, asked by openssl and cryptography as clients do."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    AuthorityInformationAccess,
    Certificate,
    OCSPNoCheck,
    OCSPNonce,
    load_pem_x509_certificate,
)
from cryptography.x509.ocsp import (
    OCSPCertStatus,
    OCSPRequestBuilder,
    OCSPResponse,
    OCSPResponseStatus,
    load_der_ocsp_response,
)
from cryptography.x509.oid import AuthorityInformationAccessOID

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.environment.revoke import revoke
from pkigen.errors import InputError
from pkigen.serve import serve, serve_tls

PROFILE = """
name: answers
base_url: http://pki.test
authorities:
  root: {key: ec-p256}
  issuing: {issuer: root, key: ec-p256}
  locked: {issuer: root, key: ec-p256, passphrase: open}
certificates:
  sensor: {issuer: issuing, key: ec-p256, subject: {CN: sensor.test}}
  gone: {issuer: issuing, key: ec-p256, subject: {CN: gone.test}, revoked: {reason: keyCompromise, at: -1h}}
  shut: {issuer: locked, key: ec-p256, subject: {CN: shut.test}}
"""
SHA1 = hashes.SHA1()  # noqa: S303  what clients ask with


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    (tmp_path / "answers.yaml").write_text(PROFILE, encoding="utf-8")
    return tmp_path / "answers.yaml"


@pytest.fixture
def environment(profile: Path, tmp_path: Path) -> Environment:
    return build(profile, tmp_path / "out")


@pytest.fixture
def url(environment: Environment) -> Iterator[str]:
    with serve(environment.folder) as url:
        yield f"{url}/ocsp"


def _loaded(environment: Environment, path: str) -> Certificate:
    return load_pem_x509_certificate((environment.folder / path).read_bytes())


def _request(
    environment: Environment, name: str, digest: hashes.HashAlgorithm = SHA1, issuer: str = "issuing"
) -> bytes:
    return _builder(environment, name, digest, issuer).build().public_bytes(Encoding.DER)


def _builder(
    environment: Environment, name: str, digest: hashes.HashAlgorithm = SHA1, issuer: str = "issuing"
) -> OCSPRequestBuilder:
    certificate = _loaded(environment, f"certificates/{name}/{name}.crt")
    return OCSPRequestBuilder().add_certificate(
        certificate, _loaded(environment, f"authorities/{issuer}/{issuer}.crt"), digest
    )


def _post(url: str, request: bytes) -> OCSPResponse:
    answer = httpx.post(url, content=request, headers={"Content-Type": "application/ocsp-request"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/ocsp-response")
    return load_der_ocsp_response(answer.content)


@pytest.mark.needs("openssl")
def test_openssl_verifies_good_revoked_and_unknown(environment: Environment, url: str) -> None:
    folder = environment.folder
    command = ["openssl", "ocsp", "-url", url, "-issuer", str(folder / "authorities/issuing/issuing.crt")]
    command += ["-CAfile", str(environment.trust)]
    options = [
        arg
        for name in ("sensor", "gone")
        for arg in ("-cert", str(folder / f"certificates/{name}/{name}.crt"))
    ]
    result = subprocess.run(
        [*command, *options, "-serial", "0x77"], capture_output=True, text=True, check=True
    )
    assert "Response verify OK" in result.stdout + result.stderr
    assert "no nonce" not in result.stderr
    assert ": good" in result.stdout
    assert "0x77: unknown" in result.stdout
    assert "Reason: keyCompromise" in result.stdout


@pytest.mark.parametrize("digest", [SHA1, hashes.SHA256()], ids=lambda one: str(one.name))
def test_a_response_repeats_the_requested_cert_id(
    digest: hashes.HashAlgorithm, environment: Environment, url: str
) -> None:
    response = _post(url, _request(environment, "sensor", digest))
    assert (response.certificate_status, response.hash_algorithm.name) == (OCSPCertStatus.GOOD, digest.name)
    assert response.next_update_utc is not None


def test_a_get_request_is_answered_like_a_post_and_can_be_cached(environment: Environment, url: str) -> None:
    request = _request(environment, "sensor")
    get = httpx.get(f"{url}/{quote(base64.b64encode(request).decode(), safe='')}")
    assert load_der_ocsp_response(get.content).certificate_status is OCSPCertStatus.GOOD
    assert get.headers["Cache-Control"].startswith("max-age=86")
    assert get.content == httpx.post(url, content=request).content


def test_a_nonce_is_returned_in_a_response_of_its_own(environment: Environment, url: str) -> None:
    request = _builder(environment, "sensor").add_extension(OCSPNonce(b"n" * 32), critical=False)
    octets = request.build().public_bytes(Encoding.DER)
    answer = httpx.post(url, content=octets)
    assert answer.headers["Cache-Control"] == "no-store"
    (nonce,) = load_der_ocsp_response(answer.content).extensions
    assert isinstance(nonce.value, OCSPNonce)
    assert nonce.value.nonce == b"n" * 32


def test_a_revocation_is_in_the_next_response(environment: Environment, url: str, profile: Path) -> None:
    request = _request(environment, "sensor")
    assert _post(url, request).certificate_status is OCSPCertStatus.GOOD
    revoking = PROFILE.replace(
        "{CN: sensor.test}}", "{CN: sensor.test}, revoked: {reason: superseded, at: -1m}}"
    )
    profile.write_text(revoking, encoding="utf-8")
    build(profile, environment.folder.parent)
    assert _post(url, request).certificate_status is OCSPCertStatus.REVOKED
    profile.write_text(PROFILE, encoding="utf-8")
    build(profile, environment.folder.parent)
    assert _post(url, request).certificate_status is OCSPCertStatus.GOOD


def test_a_responder_without_its_key_returns_an_error_status(environment: Environment, url: str) -> None:
    locked = _request(environment, "shut", issuer="locked")
    stranger = _builder(environment, "sensor", issuer="root").build().public_bytes(Encoding.DER)
    assert _post(url, locked).response_status is OCSPResponseStatus.UNAUTHORIZED
    assert _post(url, stranger).response_status is OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x03\x02\x01\x01", bytes(100_000)])
def test_data_that_is_no_request_is_malformed(junk: bytes, url: str) -> None:
    assert _post(url, junk).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_a_url_without_a_request_is_not_found(url: str) -> None:
    for path in ("", "/", "/nobody.here", "/%00"):
        assert httpx.get(url + path).status_code == 404, path


def test_an_environment_without_its_index_returns_internal_error(environment: Environment, url: str) -> None:
    request = _request(environment, "sensor")
    (environment.folder / ".pkigen").rename(environment.folder / "elsewhere")
    assert _post(url, request).response_status is OCSPResponseStatus.INTERNAL_ERROR


def test_a_response_has_headers_for_caching_and_revalidation(environment: Environment, url: str) -> None:
    path = f"{url}/{quote(base64.b64encode(_request(environment, 'sensor')).decode(), safe='')}"
    first = httpx.get(path)
    response = load_der_ocsp_response(first.content)
    assert response.next_update_utc is not None
    assert parsedate_to_datetime(first.headers["Expires"]) == response.next_update_utc
    assert parsedate_to_datetime(first.headers["Last-Modified"]) == response.this_update_utc
    again = httpx.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    refused = httpx.put(url, content=b"")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("length", "answered"), [(1, True), (16, True), (128, True), (0, False), (129, False)]
)
def test_a_nonce_has_1_to_128_bytes(length: int, answered: bool, environment: Environment, url: str) -> None:
    query = _builder(environment, "sensor").add_extension(OCSPNonce(b"n" * length), critical=False)
    response = _post(url, query.build().public_bytes(Encoding.DER))
    expected = OCSPResponseStatus.SUCCESSFUL if answered else OCSPResponseStatus.MALFORMED_REQUEST
    assert response.response_status is expected


SIGNERS = """
name: signers
base_url: http://pki.test
defaults: {key: ec-p256}
authorities:
  root: {}
  issuing: {issuer: root, ocsp: {SETTING}}
certificates:
  sensor: {issuer: issuing, subject: {CN: sensor.test}}
negatives: [{of: sensor, faults: [ocsp-revoked]}]
serving: SERVED
"""


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("served", ["[]", "[{of: issuing, fault: ocsp-revoked}]"])
def test_a_client_that_has_only_the_root_verifies_the_signer(tmp_path: Path, served: str) -> None:
    """An issuing CA signs; its certificate is in responses about sound certificates and about cases."""
    path = tmp_path / "signers.yaml"
    path.write_text(SIGNERS.replace("SETTING", "").replace("SERVED", served), encoding="utf-8")
    environment = build(path, tmp_path / "out")
    with serve(environment.folder) as url:
        for name in ("sensor", "sensor.ocsp-revoked"):
            case = environment[name]
            (tmp_path / "request").write_bytes(_request(environment, name))
            own = case.data.get("ocsp", {}).get("url", "http://pki.test/ocsp")
            answer = httpx.post(
                own.replace("http://pki.test", url), content=(tmp_path / "request").read_bytes()
            )
            (tmp_path / "response").write_bytes(answer.content)
            command = [
                "openssl",
                "ocsp",
                "-respin",
                "response",
                "-CAfile",
                str(environment.trust),
                "-reqin",
                "request",
            ]
            result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
            assert "Response verify OK" in result.stderr, (name, result.stderr)


def test_a_profile_omits_the_certificate_of_a_ca_that_signs(tmp_path: Path) -> None:
    path = tmp_path / "signers.yaml"
    path.write_text(
        SIGNERS.replace("SETTING", "certificates: false").replace("SERVED", "[]"), encoding="utf-8"
    )
    environment = build(path, tmp_path / "out")
    with serve(environment.folder) as url:
        assert not _post(f"{url}/ocsp", _request(environment, "sensor")).certificates
    case = environment["sensor.ocsp-revoked"]
    assert not load_der_ocsp_response(
        (environment.folder / case.data["ocsp"]["file"]).read_bytes()
    ).certificates
    text = SIGNERS.replace("SETTING", "certificates: false").replace(
        "SERVED", "[{of: issuing, fault: ocsp-unknown}]"
    )
    path.write_text(text, encoding="utf-8")
    with serve(build(path, tmp_path / "out").folder) as url:
        answer = _post(f"{url}/ocsp", _request(environment, "sensor"))
    assert (answer.certificate_status, answer.certificates) == (OCSPCertStatus.UNKNOWN, [])


DELEGATED = """
name: delegated
base_url: http://pki.test
defaults: {key: ec-p256}
authorities:
  root: {}
  issuing: {issuer: root, ocsp: {responder: answers, by: BY, valid: 2h}}
  own: {issuer: root, ocsp: {by: BY}}
certificates:
  answers:
    issuer: issuing
    passphrase: open sesame
    extended_key_usage: [OCSPSigning]
    ocsp_no_check: true
  sensor: {issuer: issuing, subject: {CN: sensor.test}, must_staple: true}
  gone: {issuer: issuing, subject: {CN: gone.test}}
  plain: {issuer: own, subject: {CN: plain.test}}
"""


@pytest.fixture(params=["key", "name"])
def delegated(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    path = tmp_path / "delegated.yaml"
    path.write_text(DELEGATED.replace("BY", request.param), encoding="utf-8")
    return build(path, tmp_path / "out")


@pytest.mark.needs("openssl")
def test_openssl_accepts_responses_of_a_delegated_responder(delegated: Environment) -> None:
    folder = delegated.folder
    revoke(folder, ["gone"], reason="superseded")
    with serve(folder, passphrases=[b"open sesame"]) as url:
        command = ["openssl", "ocsp", "-url", f"{url}/ocsp", "-CAfile", str(delegated.trust)]
        command += ["-issuer", str(folder / "authorities/issuing/issuing.crt")]
        command += ["-verify_other", str(folder / "authorities/issuing/issuing.crt")]
        for name in ("sensor", "gone"):
            command += ["-cert", str(folder / f"certificates/{name}/{name}.crt")]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Response verify OK" in result.stdout + result.stderr
    assert ": good" in result.stdout
    assert "Reason: superseded" in result.stdout


def test_the_responder_id_is_that_of_the_profile(
    delegated: Environment, request: pytest.FixtureRequest
) -> None:
    with serve(delegated.folder, passphrases=[b"open sesame"]) as url:
        response = _post(f"{url}/ocsp", _request(delegated, "sensor"))
    (own,) = response.certificates
    assert own == _loaded(delegated, "certificates/answers/answers.crt")
    by_name = "name" in request.node.callspec.id
    assert (response.responder_name is not None, response.responder_key_hash is not None) == (
        by_name,
        not by_name,
    )
    if by_name:
        assert response.responder_name == own.subject
    assert response.next_update_utc is not None
    assert (response.next_update_utc - response.this_update_utc).total_seconds() == 7200
    assert not own.extensions.get_extension_for_class(OCSPNoCheck).critical


def test_certificates_name_the_responder_of_their_issuer(delegated: Environment) -> None:
    for name in ("sensor", "plain"):
        certificate = _loaded(delegated, f"certificates/{name}/{name}.crt")
        access = certificate.extensions.get_extension_for_class(AuthorityInformationAccess).value
        assert [
            one.access_location.value
            for one in access
            if one.access_method == AuthorityInformationAccessOID.OCSP
        ] == ["http://pki.test/ocsp"]


def test_a_responder_with_an_encrypted_key_does_not_answer(delegated: Environment) -> None:
    with serve(delegated.folder) as url:
        response = _post(f"{url}/ocsp", _request(delegated, "sensor"))
        assert response.response_status is OCSPResponseStatus.UNAUTHORIZED
        own = _post(f"{url}/ocsp", _request(delegated, "plain", issuer="own"))
        assert own.certificate_status is OCSPCertStatus.GOOD


@pytest.mark.needs("openssl")
def test_the_current_response_is_stapled(delegated: Environment) -> None:
    with serve_tls(delegated.folder, passphrases=[b"open sesame"]) as url:
        command = ["openssl", "s_client", "-connect", url.removeprefix("https://"), "-status"]
        command += ["-servername", "sensor.test", "-CAfile", str(delegated.trust)]
        before = subprocess.run(command, input="", capture_output=True, text=True, check=False).stdout
        revoke(delegated.folder, ["sensor"])
        after = subprocess.run(command, input="", capture_output=True, text=True, check=False).stdout
    assert "Cert Status: good" in before
    assert "Cert Status: revoked" in after


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("responder: answers", "responder: answer"), "no certificate is called 'answer'"),
        (("[OCSPSigning]", "[serverAuth]"), "cannot sign OCSP responses"),
        (("responder: answers", "responder: plain"), "not issued by 'issuing'"),
        (("valid: 2h", "valid: -2h"), "length of time"),
    ],
)
def test_an_invalid_responder_is_an_error_at_its_line(
    change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "delegated.yaml"
    path.write_text(DELEGATED.replace("BY", "key").replace(*change), encoding="utf-8")
    with pytest.raises(InputError, match=words) as error:
        build(path, tmp_path / "out")
    assert str(error.value.problems[0]).startswith(f"{path}:7:")
