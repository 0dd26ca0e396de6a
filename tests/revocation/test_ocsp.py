"""OCSP responses, as cryptography and openssl read them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus, load_der_ocsp_response
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der, names
from pkigen.asn1.oids import OCSP_NONCE
from pkigen.keys import public_key_info
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.model import REASON_CODES, Edit, EditOp, Extension
from pkigen.revocation import ocsp

_KEY = FreshKeys().generate(parse_kind("ec-p256"), "issuer")
_NAME = names.encode(names.name([("O", "Test"), ("CN", "Issuing CA")]))
_BITS = der.contents(der.children(public_key_info(_KEY))[1])[1:]
_ISSUER = ocsp.Issuer(_NAME, _BITS)
_NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _data() -> bytes:
    single = ocsp.SingleResponse(ocsp.cert_id(_ISSUER, 5), "good", _NOW, None)
    return ocsp.response_data(ocsp.by_key(_BITS), _NOW, [single])


def _answer(
    status: ocsp.RevokedStatus | str,
    serial: int = 5,
    digest: str = "sha1",
    next_update: datetime | None = _NOW + timedelta(days=7),
    extensions: tuple[Extension, ...] = (),
) -> bytes:
    single = ocsp.SingleResponse(ocsp.cert_id(_ISSUER, serial, digest), status, _NOW, next_update)
    data = ocsp.response_data(ocsp.by_key(_BITS), _NOW, [single], extensions)
    return ocsp.successful(ocsp.basic_response(data, _KEY))


@given(
    serial=st.integers(1, (1 << 159) - 1),
    digest=st.sampled_from(["sha1", "sha256", "sha384", "sha512"]),
    days=st.integers(-13_000, 9_000),
    reason=st.sampled_from(sorted(REASON_CODES)),
)
def test_a_revoked_status_is_read_back(serial: int, digest: str, days: int, reason: str) -> None:
    at = _NOW + timedelta(days=days)
    response = load_der_ocsp_response(_answer(ocsp.RevokedStatus(at, reason), serial, digest))
    assert (response.serial_number, response.hash_algorithm.name) == (serial, digest)
    assert (response.certificate_status, response.revocation_time_utc) == (OCSPCertStatus.REVOKED, at)
    revocation_reason = response.revocation_reason
    assert (
        revocation_reason.value if revocation_reason is not None else "unspecified"
    ) == reason or revocation_reason is ReasonFlags.remove_from_crl


@pytest.mark.parametrize(("status", "read"), [("good", "GOOD"), ("unknown", "UNKNOWN")])
def test_good_and_unknown_are_read_back_with_their_times(status: str, read: str) -> None:
    response = load_der_ocsp_response(_answer(status))
    assert response.response_status is OCSPResponseStatus.SUCCESSFUL
    assert response.certificate_status is OCSPCertStatus[read]
    assert (response.this_update_utc, response.produced_at_utc) == (_NOW, _NOW)
    assert response.next_update_utc == _NOW + timedelta(days=7)
    assert response.responder_key_hash is not None


def test_the_signature_verifies_over_the_data() -> None:
    response = load_der_ocsp_response(_answer("good"))
    public = _KEY.public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    public.verify(response.signature, response.tbs_response_bytes, ECDSA(hashes.SHA256()))


def test_next_update_is_optional() -> None:
    assert load_der_ocsp_response(_answer("good", next_update=None)).next_update_utc is None


def test_a_response_has_the_given_extensions() -> None:
    nonce = Extension(OCSP_NONCE, False, der.octet_string(b"n" * 16))
    (response,) = load_der_ocsp_response(_answer("good", extensions=(nonce,))).extensions
    assert response.oid.dotted_string == OCSP_NONCE


def test_a_response_can_name_its_responder_and_cover_several_certificates() -> None:
    singles = [
        ocsp.SingleResponse(ocsp.cert_id(_ISSUER, serial), "good", _NOW, None) for serial in range(1, 4)
    ]
    data = ocsp.response_data(ocsp.by_name(_NAME), _NOW, singles)
    response = load_der_ocsp_response(ocsp.successful(ocsp.basic_response(data, _KEY)))
    assert [one.serial_number for one in response.responses] == [1, 2, 3]
    assert response.responder_name is not None


def test_a_response_carries_the_certificates_of_its_signer() -> None:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Responder")])
    key = generate_private_key(SECP256R1())
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, _NOW, _NOW + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    basic = ocsp.basic_response(_data(), _KEY, certificates=(certificate.public_bytes(Encoding.DER),))
    assert load_der_ocsp_response(ocsp.successful(basic)).certificates == [certificate]
    assert load_der_ocsp_response(_answer("good")).certificates == []


def test_edits_before_the_signature_keep_it_valid_and_others_do_not() -> None:
    edit = Edit((1,), EditOp.REPLACE, der.tlv(der.GENERALIZED_TIME, b"20261031120000Z"))
    unsigned = replace(edit, path=(0, 1), signed=False)
    for change, is_valid in ((edit, True), (unsigned, False)):
        basic = ocsp.basic_response(_data(), _KEY, edits=(change,))
        response = load_der_ocsp_response(ocsp.successful(basic))
        assert response.produced_at_utc == _NOW - timedelta(days=1)
        public = _KEY.public_key()
        assert isinstance(public, EllipticCurvePublicKey)
        with nullcontext() if is_valid else pytest.raises(InvalidSignature):
            public.verify(response.signature, response.tbs_response_bytes, ECDSA(hashes.SHA256()))


def test_an_extension_is_critical_only_if_marked() -> None:
    extensions = tuple(Extension(f"1.2.3.{number}", number == 1, der.null()) for number in (1, 2))
    response = load_der_ocsp_response(_answer("good", extensions=extensions))
    assert [extension.critical for extension in response.extensions] == [True, False]


@pytest.mark.parametrize("status", [one for one in ocsp.ResponseStatus if one])
def test_an_unsuccessful_response_contains_only_its_status(status: ocsp.ResponseStatus) -> None:
    assert load_der_ocsp_response(ocsp.unsuccessful(status)).response_status.value == status
