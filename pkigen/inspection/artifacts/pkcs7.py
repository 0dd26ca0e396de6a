"""PKCS#7 and CMS (RFC 2315, RFC 5652): the certificates and CRLs of SignedData."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pkigen.asn1 import ber, der
from pkigen.inspection.artifacts.artifact import Artifact, Encoding, Kind, Source
from pkigen.inspection.artifacts.objects import parsed
from pkigen.x509 import Malformed
from pkigen.x509.decode import decoder

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPES = {
    "1.2.840.113549.1.7.1": "Data",
    "1.2.840.113549.1.7.3": "EnvelopedData (an encrypted message)",
    "1.2.840.113549.1.7.4": "SignedAndEnvelopedData (an encrypted message)",
    "1.2.840.113549.1.7.5": "DigestedData",
    "1.2.840.113549.1.7.6": "EncryptedData (an encrypted message)",
    "1.2.840.113549.1.9.16.1.2": "AuthenticatedData",
    "1.2.840.113549.1.9.16.1.9": "CompressedData",
    "1.2.840.113549.1.9.16.1.23": "AuthEnvelopedData (an encrypted message)",
}
_CERTIFICATES, _CRLS = 0xA0, 0xA1


def read_pkcs7(data: bytes, source: Source) -> Iterator[Artifact]:
    """Yield the certificates and CRLs of SignedData, or the container and why it cannot be read."""
    source = replace(source, encoding=Encoding.PKCS7, before=b"")
    try:
        members = _members(data)
    except Malformed as error:
        yield Artifact(Kind.PKCS7, source, data, problem=str(error))
        return
    if not members:
        yield Artifact(Kind.PKCS7, source, data, problem="it contains no certificate and no CRL")
    for tag, member in members:
        if member[0] != der.SEQUENCE:
            what = "an attribute certificate" if tag == _CERTIFICATES else "revocation information"
            problem = f"{what} in a format other than X.509, which is not supported"
            yield Artifact(Kind.UNKNOWN, source, member, problem=problem)
        else:
            yield parsed(Kind.CERTIFICATE if tag == _CERTIFICATES else Kind.CRL, member, source)


@decoder("the PKCS#7 structure")
def _members(data: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of ``certificates`` and ``crls``, each with the tag of its field."""
    content_type, *content = der.children(ber.definite(data))
    oid = der.dotted(content_type)
    if oid != _SIGNED_DATA:
        name = _CONTENT_TYPES.get(oid, f"content of type {oid}")
        raise Malformed(f"it is {name}, which contains no certificates that can be read")
    (signed_data,) = der.children(content[0])
    fields = der.children(signed_data)[3:]
    return [(f[0], member) for f in fields if f[0] in (_CERTIFICATES, _CRLS) for member in der.children(f)]
