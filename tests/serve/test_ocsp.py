"""The stub's OCSP responder, asked by openssl and cryptography as clients do."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, OCSPNonce, load_pem_x509_certificate
from cryptography.x509.ocsp import (
    OCSPCertStatus,
    OCSPRequestBuilder,
    OCSPResponse,
    OCSPResponseStatus,
    load_der_ocsp_response,
)

from pkigen import build
from pkigen.environment import Environment
from pkigen.serve import serve

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
    asked = [
        arg
        for name in ("sensor", "gone")
        for arg in ("-cert", str(folder / f"certificates/{name}/{name}.crt"))
    ]
    said = subprocess.run([*command, *asked, "-serial", "0x77"], capture_output=True, text=True, check=True)
    assert "Response verify OK" in said.stdout + said.stderr
    assert "no nonce" not in said.stderr
    assert ": good" in said.stdout
    assert "0x77: unknown" in said.stdout
    assert "Reason: keyCompromise" in said.stdout


@pytest.mark.parametrize("digest", [SHA1, hashes.SHA256()], ids=lambda one: str(one.name))
def test_an_answer_repeats_the_cert_id_that_was_asked(
    digest: hashes.HashAlgorithm, environment: Environment, url: str
) -> None:
    found = _post(url, _request(environment, "sensor", digest))
    assert (found.certificate_status, found.hash_algorithm.name) == (OCSPCertStatus.GOOD, digest.name)
    assert found.next_update_utc is not None


def test_a_get_is_answered_as_a_post_and_may_be_cached(environment: Environment, url: str) -> None:
    request = _request(environment, "sensor")
    asked = httpx.get(f"{url}/{quote(base64.b64encode(request).decode(), safe='')}")
    assert load_der_ocsp_response(asked.content).certificate_status is OCSPCertStatus.GOOD
    assert asked.headers["Cache-Control"].startswith("max-age=43")
    assert asked.content == httpx.post(url, content=request).content


def test_a_nonce_is_echoed_and_makes_an_answer_of_its_own(environment: Environment, url: str) -> None:
    request = _builder(environment, "sensor").add_extension(OCSPNonce(b"n" * 32), critical=False)
    octets = request.build().public_bytes(Encoding.DER)
    answer = httpx.post(url, content=octets)
    assert answer.headers["Cache-Control"] == "no-store"
    (nonce,) = load_der_ocsp_response(answer.content).extensions
    assert isinstance(nonce.value, OCSPNonce)
    assert nonce.value.nonce == b"n" * 32


def test_a_revocation_is_in_the_next_answer(environment: Environment, url: str, profile: Path) -> None:
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


def test_who_cannot_answer_says_so(environment: Environment, url: str) -> None:
    locked = _request(environment, "shut", issuer="locked")
    stranger = _builder(environment, "sensor", issuer="root").build().public_bytes(Encoding.DER)
    assert _post(url, locked).response_status is OCSPResponseStatus.UNAUTHORIZED
    assert _post(url, stranger).response_status is OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x03\x02\x01\x01", bytes(100_000)])
def test_what_is_no_request_is_malformed(junk: bytes, url: str) -> None:
    assert _post(url, junk).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_a_url_without_a_request_is_not_found(url: str) -> None:
    for path in ("", "/", "/nobody.here", "/%00"):
        assert httpx.get(url + path).status_code == 404, path


def test_an_environment_without_its_state_has_an_internal_error(environment: Environment, url: str) -> None:
    request = _request(environment, "sensor")
    (environment.folder / ".pkigen").rename(environment.folder / "elsewhere")
    assert _post(url, request).response_status is OCSPResponseStatus.INTERNAL_ERROR
