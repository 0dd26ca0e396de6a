"""Artifacts from the DER of single objects: certificates, CRLs and requests."""

from __future__ import annotations

from collections.abc import Callable

from pkigen.asn1 import ber, der
from pkigen.errors import InputError
from pkigen.inspection.artifacts.artifact import Artifact, Kind, Source
from pkigen.x509 import Certificate, CertificateList, CertificationRequest, Malformed

_PARSERS: dict[Kind, Callable[[bytes], Certificate | CertificateList | CertificationRequest]] = {
    Kind.CERTIFICATE: Certificate,
    Kind.CRL: CertificateList,
    Kind.REQUEST: CertificationRequest,
}


def parsed(kind: Kind, data: bytes, source: Source, *, note: str = "", name: str = "") -> Artifact:
    """Return an artifact with its parsed value, or with the reason why it is malformed."""
    parser = _PARSERS.get(kind)
    try:
        value = parser(data) if parser else None
    except Malformed as error:
        return Artifact(kind, source, data, problem=str(error), friendly_name=name, note=note)
    return Artifact(kind, source, data, value, friendly_name=name, note=note)


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the TLVs that follow each other in ``data``, and the bytes after them that are none.

    InputError for BER beyond a limit.
    """
    parts = []
    while data[:1] == b"\x30":
        try:
            size = ber.size(data)
        except ber.TooLarge as error:
            raise InputError(str(error)) from error
        except ValueError:
            break
        parts.append(data[:size])
        data = data[size:]
    return parts, data


def structure_kind(data: bytes) -> Kind:
    """Return the kind of an object other than a private key, judged by its structure."""
    try:
        if data[:1] != b"\x30":
            return Kind.UNKNOWN
        if data[1:2] == b"\x80":
            return _kind_in_ber(data)
        return _kind(der.children(data))
    except (ValueError, IndexError):
        return Kind.UNKNOWN


def _kind_in_ber(data: bytes) -> Kind:
    """Return the kind of an object with an indefinite length; in practice only containers have one."""
    if data[2:5] == b"\x02\x01\x03":
        return Kind.PKCS12
    return Kind.PKCS7 if data[2:3] == b"\x06" else Kind.UNKNOWN


def _kind(parts: list[bytes]) -> Kind:
    shape = bytes(part[0] for part in parts[:9])
    if shape == b"\x30\x30\x03":
        return _signed_kind(parts[0])
    if shape[:2] == b"\x02\x30" and parts[0] == b"\x02\x01\x03":
        return Kind.PKCS12
    if shape[:2] == b"\x06\xa0":
        return Kind.PKCS7
    if shape == b"\x30\x03":
        return Kind.PUBLIC_KEY
    if shape[:1] == b"\x0a":
        return Kind.OCSP_RESPONSE
    return Kind.UNKNOWN


def _signed_kind(tbs: bytes) -> Kind:
    """Return the kind of a signed structure, judged by the elements inside: certificate, CRL or request."""
    parts = der.children(tbs)
    shape = bytes(part[0] for part in parts)
    if shape[:3] == b"\x02\x30\x30" and [part[0] for part in der.children(parts[2])] == [0x30, 0x03]:
        return Kind.REQUEST
    without_version = shape.removeprefix(b"\x02")
    if without_version[:2] == b"\x30\x30" and without_version[2:3] in (b"\x17", b"\x18"):
        return Kind.CRL
    return Kind.CERTIFICATE
