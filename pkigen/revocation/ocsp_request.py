"""Reads OCSP requests (RFC 6960, section 4.1.1): the CertIDs and the nonce."""

from __future__ import annotations

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
    return _cert_id(_elements(data)[0])


def _cert_id(data: bytes) -> CertId:
    algorithm, name_hash, key_hash, serial = _elements(data)
    number = int.from_bytes(der.contents(serial), "big", signed=True)
    digest = der.dotted(_elements(algorithm)[0])
    return CertId(digest, der.contents(name_hash), der.contents(key_hash), number, data)


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
