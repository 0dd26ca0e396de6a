"""Reads OCSP requests (RFC 6960, section 4.1.1): the CertIDs and the nonce."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.asn1.oids import OCSP_NONCE

LARGEST = 16 * 1024
"""The maximum size of a request in bytes."""
_MAX_CERTIFICATES = 64
_MAX_NONCE_BYTES = 128
"""A nonce is an OCTET STRING of 1 to 128 bytes (RFC 9654, section 2.1); old clients send the bare bytes."""
_EXTENSIONS, _SKIPPED = 0xA2, (0xA0, 0xA1)
_SINGLE_EXTENSIONS = 0xA0


@dataclass(frozen=True, slots=True)
class CertId:
    """A CertID: OID of the digest, hashes of the issuer's name and key, serial number.

    ``der`` is the unmodified CertID, which the response repeats.
    """

    digest: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    der: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request; ``nonce`` is the unmodified value of its nonce extension (RFC 9654), if it has one."""

    about: tuple[CertId, ...]
    nonce: bytes | None


def parse(data: bytes) -> Request:
    """Read a request in DER; ValueError if it is malformed or too large. Ignores its signature."""
    if len(data) > LARGEST:
        raise ValueError(f"the request has {len(data)} bytes; the maximum is {LARGEST}")
    try:
        if der.read(data)[2] != len(data):
            raise ValueError("data follows the request")
        inner, *_ = _elements(data)
        parts = [part for part in _elements(inner) if part[0] not in _SKIPPED]
        listed, *rest = parts
        about = tuple(map(_single, _elements(listed)))
        nonces = [_nonce(part) for part in rest if part[0] == _EXTENSIONS]
    except (IndexError, TypeError) as error:
        raise ValueError("an element is missing") from error
    if not 0 < len(about) <= _MAX_CERTIFICATES:
        raise ValueError(
            f"the request is about {len(about)} certificates; the maximum is {_MAX_CERTIFICATES}"
        )
    return Request(about, next((nonce for nonce in nonces if nonce is not None), None))


def _elements(data: bytes) -> list[bytes]:
    """Return the elements of a SEQUENCE."""
    if data[0] != der.SEQUENCE:
        raise ValueError(f"expected a SEQUENCE, found the tag {data[0]:#x}")
    return der.children(data)


@lru_cache(maxsize=1024)
def _single(data: bytes) -> CertId:
    """Read one Request; cached, since clients repeat their requests."""
    cert_id, *extensions = _elements(data)
    if [part[0] for part in extensions] not in ([], [_SINGLE_EXTENSIONS]):
        raise ValueError("a Request contains more than a CertID and extensions")
    return _cert_id(cert_id)


def _cert_id(data: bytes) -> CertId:
    algorithm, name_hash, key_hash, serial = _elements(data)
    number = int.from_bytes(der.contents(serial), "big", signed=True)
    oid, *_ = _elements(algorithm)
    cert_id = CertId(der.dotted(oid), der.contents(name_hash), der.contents(key_hash), number, data)
    if data not in _encodings(cert_id):
        raise ValueError("a CertID is not encoded in DER")
    return cert_id


def _encodings(cert_id: CertId) -> Iterator[bytes]:
    """Yield the encodings of a CertID, whose digest has the parameters NULL or none (RFC 5754, section 2)."""
    values = (
        der.octet_string(cert_id.name_hash),
        der.octet_string(cert_id.key_hash),
        der.integer(cert_id.serial),
    )
    for parameters in (der.null(), b""):
        yield der.sequence(der.sequence(der.oid(cert_id.digest), parameters), *values)


def _nonce(extensions: bytes) -> bytes | None:
    """Return the value of the nonce extension, if any."""
    (listed,) = der.children(extensions)
    for extension in _elements(listed):
        oid, *_, value = _elements(extension)
        if der.dotted(oid) == OCSP_NONCE:
            content = der.contents(value)
            nonce = der.contents(content) if _is_octet_string(content) else content
            if not 0 < len(nonce) <= _MAX_NONCE_BYTES:
                raise ValueError(f"the nonce has {len(nonce)} bytes; the maximum is {_MAX_NONCE_BYTES}")
            return content
    return None


def _is_octet_string(value: bytes) -> bool:
    try:
        tag, _, end = der.read(value, 0)
    except ValueError:
        return False
    return tag == der.OCTET_STRING and end == len(value)
