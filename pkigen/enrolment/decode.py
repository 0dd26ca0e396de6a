"""Decodes DER of protocol messages with the declared structures of cryptography.hazmat.asn1."""

from __future__ import annotations

from typing import TypeVar

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV

from pkigen.asn1 import der

T = TypeVar("T")


class Undecodable(ValueError):
    """Data that is not the expected structure."""


def decode(kind: type[T], data: bytes) -> T:
    """Return the decoded DER; Undecodable if it is something else."""
    try:
        return asn1.decode_der(kind, data)
    except (ValueError, OverflowError) as error:
        raise Undecodable(f"{getattr(kind, '__name__', kind)}: {error}") from error


def decode_each(kind: type[T], data: bytes) -> list[T]:
    """Return the decoded elements of a SEQUENCE OF."""
    return [decode(kind, part) for part in parts(data)]


def parts(data: bytes) -> list[bytes]:
    """Return the DER of the elements of a SEQUENCE."""
    if data[:1] != bytes((der.SEQUENCE,)):
        raise Undecodable("a SEQUENCE is missing")
    try:
        return der.children(data)
    except ValueError as error:
        raise Undecodable(str(error)) from error


def raw(element: TLV) -> bytes:
    """Return the complete DER of an element."""
    return der.tlv(tag(element), bytes(element.data))


def tag(element: TLV) -> int:
    """Return the tag of an element; Undecodable for a tag of several bytes, which these messages lack."""
    if len(element.tag_bytes) != 1:
        raise Undecodable("a tag of several bytes")
    return element.tag_bytes[0]


def dotted(element: TLV) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    return identifier(raw(element))


def identifier(data: bytes) -> str:
    """Return an encoded OBJECT IDENTIFIER in dotted form; Undecodable if it is none, or too long."""
    if data[:1] != bytes((der.OID,)):
        raise Undecodable("an object identifier is missing")
    try:
        return der.dotted(data)
    except ValueError as error:
        raise Undecodable(str(error)) from error
