"""OCSP requests (RFC 6960, 4.1.1), read: about which certificates, with which nonce."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.asn1.oids import OCSP_NONCE

LARGEST = 16 * 1024
"""Octets of a request that are read at all."""
_MOST_CERTIFICATES = 64
_LONGEST_NONCE = 128
"""RFC 9654, 2.1: a nonce is an OCTET STRING of 1 to 128 octets. Old clients put bare octets there."""
_EXTENSIONS, _SKIPPED = 0xA2, (0xA0, 0xA1)


@dataclass(frozen=True, slots=True)
class CertId:
    """Whom a request is about: the digest's OID, the hashes of the issuer's name and key, the serial number.

    ``der`` is the CertID as it stands in the request: an answer repeats it.
    """

    digest: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    der: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``nonce`` is the value of its extension as it stands (RFC 9654), None without."""

    about: tuple[CertId, ...]
    nonce: bytes | None


def parse(data: bytes) -> Request:
    """A request from DER; ValueError for what is none, or asks for too much. Its signature is not read."""
    if len(data) > LARGEST:
        raise ValueError(f"a request of {len(data)} octets")
    try:
        inner, *_ = _elements(data)
        parts = [part for part in _elements(inner) if part[0] not in _SKIPPED]
        listed, *rest = parts
        about = tuple(map(_single, _elements(listed)))
        nonces = [_nonce(part) for part in rest if part[0] == _EXTENSIONS]
    except (IndexError, TypeError) as error:
        raise ValueError("an element is missing") from error
    if not 0 < len(about) <= _MOST_CERTIFICATES:
        raise ValueError(f"a request about {len(about)} certificates")
    return Request(about, next((nonce for nonce in nonces if nonce is not None), None))


def _elements(data: bytes) -> list[bytes]:
    """What is inside the one SEQUENCE that ``data`` is."""
    if data[0] != der.SEQUENCE:
        raise ValueError(f"tag {data[0]:#x} where a SEQUENCE belongs")
    return der.children(data)


@lru_cache(maxsize=1024)
def _single(data: bytes) -> CertId:
    """One Request; most are about certificates that were asked about before."""
    return _cert_id(_elements(data)[0])


def _cert_id(data: bytes) -> CertId:
    algorithm, name_hash, key_hash, serial = _elements(data)
    number = int.from_bytes(der.contents(serial), "big", signed=True)
    digest = der.dotted(_elements(algorithm)[0])
    return CertId(digest, der.contents(name_hash), der.contents(key_hash), number, data)


def _nonce(extensions: bytes) -> bytes | None:
    """The value of the nonce among the request's extensions."""
    (listed,) = der.children(extensions)
    for extension in _elements(listed):
        oid, *_, value = _elements(extension)
        if der.dotted(oid) == OCSP_NONCE:
            found = der.contents(value)
            nonce = der.contents(found) if _is_octet_string(found) else found
            if not 0 < len(nonce) <= _LONGEST_NONCE:
                raise ValueError(f"a nonce of {len(nonce)} octets")
            return found
    return None


def _is_octet_string(value: bytes) -> bool:
    try:
        tag, _, end = der.read(value, 0)
    except ValueError:
        return False
    return tag == der.OCTET_STRING and end == len(value)
