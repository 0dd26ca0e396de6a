"""Encodes the values of Microsoft's certificate extensions (MS-WCCE, 2.2.2.7.7)."""

from __future__ import annotations

from uuid import UUID

from pkigen.asn1 import der

SECURITY_IDENTIFIER_TYPE = "1.3.6.1.4.1.311.25.2.1"
"""The type of the otherName that contains a SID (szOID_NTDS_OBJECTSID)."""


def security_identifier(sid: str) -> bytes:
    """Return the value of the extension NTDS security identifier: GeneralNames with one otherName."""
    value = der.explicit(0, der.octet_string(sid.encode("ascii")))
    return der.sequence(der.explicit(0, der.oid(SECURITY_IDENTIFIER_TYPE), value))


def certificate_template(oid: str, *versions: int) -> bytes:
    """Return the value of the extension certificate template: its OID, its major and minor version."""
    return der.sequence(der.oid(oid), *map(der.integer, versions))


def object_guid(text: str) -> bytes:
    """Return an objectGUID as Active Directory stores it: the first three groups are little-endian."""
    return der.octet_string(UUID(text).bytes_le)
