"""OCSP requests of openssl and cryptography, and corrupted ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import new

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.ocsp import OCSPRequestBuilder, load_der_ocsp_request
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der
from pkigen.asn1.oids import OCSP_NONCE
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
def test_a_malformed_request_is_rejected_with_a_reason(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ocsp_request.parse(data)


@given(st.data())
def test_a_corrupted_request_is_read_or_rejected(data: st.DataObject) -> None:
    octets = bytearray(_request(_SHA1, b"nonce"))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = ocsp_request.parse(bytes(octets))
    except ValueError:
        return
    assert request.about


def test_a_request_above_the_limits_is_rejected() -> None:
    with pytest.raises(ValueError, match="bytes"):
        ocsp_request.parse(bytes(ocsp_request.LARGEST + 1))
    with pytest.raises(ValueError, match="0 certificates"):
        ocsp_request.parse(der.sequence(der.sequence(der.sequence())))
    with pytest.raises(ValueError, match="the nonce has"):
        ocsp_request.parse(_request(_SHA1, b"n" * 200))


def test_another_type_in_place_of_a_sequence_is_rejected() -> None:
    with pytest.raises(ValueError, match="expected a SEQUENCE, found the tag 0x31"):
        ocsp_request.parse(der.tlv(der.SET, _request(_SHA1)))


def test_the_limits_of_a_request_are_inclusive() -> None:
    assert ocsp_request.parse(_request(_SHA1, b"n")).nonce == der.octet_string(b"n")
    (listed,) = der.children(der.children(_request(_SHA1))[0])
    (about,) = der.children(listed)
    most = der.sequence(der.sequence(der.sequence(*[about] * 64)))
    assert len(ocsp_request.parse(most).about) == 64
    with pytest.raises(ValueError, match="65 certificates"):
        ocsp_request.parse(der.sequence(der.sequence(der.sequence(*[about] * 65))))
    assert ocsp_request.parse(_request(_SHA1, b"n" * 128)).nonce == der.octet_string(b"n" * 128)
    with pytest.raises(ValueError, match="129 bytes"):
        ocsp_request.parse(_request(_SHA1, b"n" * 129))
    padding = ocsp_request.LARGEST - len(der.sequence(der.sequence(listed), der.octet_string(bytes(16000))))
    largest = der.sequence(der.sequence(listed), der.octet_string(bytes(16000 + padding)))
    assert len(largest) == ocsp_request.LARGEST
    assert len(ocsp_request.parse(largest).about) == 1


def test_a_requestor_a_version_and_other_extensions_are_ignored() -> None:
    (listed,) = der.children(der.children(_request(_SHA1))[0])
    other = der.sequence(der.oid("1.2.3.4"), der.boolean(True), der.octet_string(b"x"))
    nonce = der.sequence(der.oid(OCSP_NONCE), der.boolean(False), der.octet_string(b"bare nonce"))
    version, requestor = der.explicit(0, der.integer(0)), der.explicit(1, der.tlv(0x82, b"client.test"))
    parts = [version, requestor, listed, der.explicit(2, der.sequence(other, nonce))]
    request = ocsp_request.parse(der.sequence(der.sequence(*parts)))
    assert ([about.serial for about in request.about], request.nonce) == ([4711], b"bare nonce")
    without = [version, requestor, listed, der.explicit(2, der.sequence(other)), der.explicit(3, der.null())]
    assert ocsp_request.parse(der.sequence(der.sequence(*without))).nonce is None


@pytest.mark.parametrize("nonce", [b"", b"\x04\x00"])
def test_an_empty_nonce_is_rejected(nonce: bytes) -> None:
    (listed,) = der.children(der.children(_request(_SHA1))[0])
    extension = der.sequence(der.oid(OCSP_NONCE), der.octet_string(nonce))
    request = der.sequence(der.sequence(listed, der.explicit(2, der.sequence(extension))))
    with pytest.raises(ValueError, match="the nonce has 0 bytes"):
        ocsp_request.parse(request)


def test_a_negative_serial_number_is_read() -> None:
    digest = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
    about = der.sequence(digest, der.octet_string(b"name"), der.octet_string(b"key"), der.integer(-5))
    request = der.sequence(der.sequence(der.sequence(der.sequence(about))))
    assert ocsp_request.parse(request).about == (
        ocsp_request.CertId("1.3.14.3.2.26", b"name", b"key", -5, about),
    )


def _with_cert_id(*parts: bytes, after: bytes = b"") -> bytes:
    return der.sequence(der.sequence(der.sequence(der.sequence(der.sequence(*parts), after))))


_DIGEST = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
_HASH = der.octet_string(bytes(20))


@pytest.mark.parametrize(
    "request_bytes",
    [
        _with_cert_id(der.sequence(der.oid("1.3.14.3.2.26"), b"\x05\x01\x00"), _HASH, _HASH, der.integer(1)),
        _with_cert_id(der.sequence(der.oid("1.3.14.3.2.26"), der.integer(0)), _HASH, _HASH, der.integer(1)),
        _with_cert_id(der.sequence(b"\x06\x06\x2b\x0e\x03\x02\x80\x1a"), _HASH, _HASH, der.integer(1)),
        _with_cert_id(der.sequence(der.tlv(0x0D, b"\x2b\x0e\x03\x02\x1a")), _HASH, _HASH, der.integer(1)),
        _with_cert_id(_DIGEST, der.tlv(0x24, _HASH), _HASH, der.integer(1)),
        _with_cert_id(_DIGEST, _HASH, der.tlv(0x0C, bytes(20)), der.integer(1)),
        _with_cert_id(_DIGEST, b"\x04\x81\x14" + bytes(20), _HASH, der.integer(1)),
        _with_cert_id(_DIGEST, _HASH, _HASH, b"\x02\x02\x00\x01"),
        _with_cert_id(_DIGEST, _HASH, _HASH, b"\x02\x00"),
        _with_cert_id(_DIGEST, _HASH, _HASH, der.tlv(0x0A, b"\x01")),
        _with_cert_id(_DIGEST, _HASH, _HASH, der.integer(1), after=der.null()),
        _with_cert_id(_DIGEST, _HASH, _HASH, der.integer(1)) + b"\0",
    ],
    ids=[
        "NULL with contents", "other parameters", "OID with padding", "another type as OID",
        "constructed hash", "another type as hash",
        "long length", "serial with padding", "serial without bytes",
        "another type as serial", "data after the CertID", "data after the request",
    ],
)  # fmt: skip
def test_a_malformed_cert_id_is_rejected(request_bytes: bytes) -> None:
    with pytest.raises(ValueError, match=r"CertID|data follows"):
        ocsp_request.parse(request_bytes)


def test_the_parameters_of_a_digest_can_be_absent() -> None:
    request = _with_cert_id(der.sequence(der.oid("1.3.14.3.2.26")), _HASH, _HASH, der.integer(1))
    assert ocsp_request.parse(request).about[0].serial == 1


@given(st.data())
def test_a_response_repeats_only_a_cert_id_that_cryptography_reads(data: st.DataObject) -> None:
    """Whatever byte of the CertID changes, cryptography reads the same values or pkigen refuses it."""
    octets = bytearray(_request(_SHA1))
    octets[data.draw(st.integers(8, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        about = ocsp_request.parse(bytes(octets)).about[0]
    except ValueError:
        return
    if about.digest not in DIGEST_OIDS.values():
        return
    loaded = load_der_ocsp_request(bytes(octets))
    assert (loaded.issuer_name_hash, loaded.issuer_key_hash) == (about.name_hash, about.key_hash)
    assert loaded.serial_number == about.serial


@pytest.mark.parametrize(
    ("value", "content"),
    [(b"\x04\x02ab", b"\x04\x02ab"), (b"\x04\x02abc", b"\x04\x02abc"), (b"\x05\x00", b"\x05\x00")],
)
def test_a_nonce_of_bare_bytes_is_returned_unmodified(value: bytes, content: bytes) -> None:
    (listed,) = der.children(der.children(_request(_SHA1))[0])
    extension = der.sequence(der.oid(OCSP_NONCE), der.octet_string(value))
    request = der.sequence(der.sequence(listed, der.explicit(2, der.sequence(extension))))
    assert ocsp_request.parse(request).nonce == content
