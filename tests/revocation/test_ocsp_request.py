"""OCSP requests of openssl and cryptography, and corrupted ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import new

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.ocsp import OCSPRequestBuilder
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der
from pkigen.keys.signing import DIGEST_OIDS
from pkigen.revocation import ocsp_request

_KEY = generate_private_key(SECP256R1())
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing CA")])
_SHA1 = hashes.SHA1()  # noqa: S303  what clients ask with
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_CERTIFICATE = (
    x509.CertificateBuilder(_NAME, _NAME, _KEY.public_key(), 4711, _NOW, _NOW + timedelta(days=1))
).sign(_KEY, hashes.SHA256())


def _request(digest: hashes.HashAlgorithm, nonce: bytes | None = None) -> bytes:
    builder = OCSPRequestBuilder().add_certificate(_CERTIFICATE, _CERTIFICATE, digest)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("digest", [_SHA1, hashes.SHA256()], ids=lambda one: str(one.name))
def test_a_request_identifies_the_certificate(digest: hashes.HashAlgorithm) -> None:
    (about,) = ocsp_request.parse(_request(digest)).about
    bits = _KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert (about.digest, about.serial) == (DIGEST_OIDS[digest.name], 4711)
    assert about.name_hash == new(digest.name, _NAME.public_bytes()).digest()
    assert about.key_hash == new(digest.name, bits).digest()


def test_a_nonce_is_read_unmodified() -> None:
    assert ocsp_request.parse(_request(_SHA1)).nonce is None
    assert ocsp_request.parse(_request(_SHA1, b"n" * 32)).nonce == der.octet_string(b"n" * 32)


@given(st.binary(max_size=200))
def test_a_malformed_request_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ocsp_request.parse(data)


@given(st.data())
def test_a_corrupted_request_is_read_or_refused(data: st.DataObject) -> None:
    octets = bytearray(_request(_SHA1, b"nonce"))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = ocsp_request.parse(bytes(octets))
    except ValueError:
        return
    assert request.about


def test_a_request_above_the_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        ocsp_request.parse(bytes(ocsp_request.LARGEST + 1))
    with pytest.raises(ValueError, match="0 certificates"):
        ocsp_request.parse(der.sequence(der.sequence(der.sequence())))
    with pytest.raises(ValueError, match="the nonce has"):
        ocsp_request.parse(_request(_SHA1, b"n" * 200))
