"""Writes PKCS#7 files with certificates and CRLs, and no signature (RFC 5652, 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from pkigen.asn1 import der

_DATA, _SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"


def pkcs7_file(certificates: Sequence[bytes], crls: Sequence[bytes] = ()) -> bytes:
    """Return the DER of a P7B file; the certificates keep their order."""
    members = der.tlv(0xA0, *certificates), *((der.tlv(0xA1, *crls),) if crls else ())
    empty = der.set_of()
    signed_data = der.sequence(der.integer(1), empty, der.sequence(der.oid(_DATA)), *members, empty)
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed_data))
