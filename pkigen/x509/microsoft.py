"""Decodes the values of Microsoft's certificate extensions (MS-WCCE, 2.2.2.7.7)."""

from __future__ import annotations

from uuid import UUID

from pkigen.asn1 import der
from pkigen.asn1.microsoft import SECURITY_IDENTIFIER_TYPE
from pkigen.x509.decode import Malformed, decoder, elements, expect, integer

_GUID_BYTES = 16


@decoder("the security identifier")
def security_identifier(value: bytes) -> str:
    """Return the SID in the extension NTDS security identifier."""
    what = "the security identifier"
    (name,) = elements(value, what)
    type_id, explicit = elements(name, what, 0xA0)
    if der.dotted(type_id) != SECURITY_IDENTIFIER_TYPE:
        raise Malformed(f"{what} is in a name of another type than {SECURITY_IDENTIFIER_TYPE}")
    return expect(elements(explicit, what, 0xA0)[0], der.OCTET_STRING, what).decode("ascii")


@decoder("the certificate template")
def certificate_template(value: bytes) -> tuple[str, tuple[int, ...]]:
    """Return the OID of a template, and its major and minor version as far as the extension has them."""
    oid, *versions = elements(value, "the certificate template")
    expect(oid, der.OID, "the OID of the certificate template")
    return der.dotted(oid), tuple(integer(one, "a version") for one in versions)


@decoder("the objectGUID")
def object_guid(value: bytes) -> str:
    """Return an objectGUID of Active Directory as text."""
    data = expect(value, der.OCTET_STRING, "the objectGUID")
    if len(data) != _GUID_BYTES:
        raise Malformed(f"the objectGUID has {len(data)} bytes instead of {_GUID_BYTES}")
    return str(UUID(bytes_le=data))
