"""Describes a certification request (RFC 2986)."""

from __future__ import annotations

from pkigen.asn1 import der, names
from pkigen.inspection.description import words
from pkigen.inspection.description.extensions import add_extensions
from pkigen.inspection.description.sheet import DescriptionBuilder, Rendering, rendering
from pkigen.keys.verify import Verdict, verdict
from pkigen.x509 import CertificationRequest

_ATTRIBUTES = {
    "1.2.840.113549.1.9.2": "unstructured name",
    "1.2.840.113549.1.9.7": "challenge password",
    "1.2.840.113549.1.9.8": "unstructured address",
    "1.3.6.1.4.1.311.13.2.1": "enrollment name and value",
    "1.3.6.1.4.1.311.13.2.2": "cryptographic provider",
    "1.3.6.1.4.1.311.13.2.3": "operating system version",
    "1.3.6.1.4.1.311.21.20": "request client",
}
_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "ascii",
    der.IA5_STRING: "ascii",
    der.TELETEX_STRING: "latin-1",
    der.BMP_STRING: "utf-16-be",
}


def add_request(sheet: DescriptionBuilder, request: CertificationRequest) -> None:
    """Add the requested fields, and whether the request is signed with its own key."""
    sheet.add("subject", "subject", lambda: rendering(names.text(request.subject) or "(empty)"))
    sheet.add("public_key", "public key", lambda: words.public_key(request.public_key))
    sheet.add("signature_algorithm", "signed with", lambda: words.algorithm(request.signature_algorithm))
    sheet.add("signature", "signature", lambda: _signature(request))
    add_extensions(sheet, lambda: request.extensions)
    sheet.add("attributes", "attributes", lambda: _attributes(request))
    sheet.add("spki_sha256", "key pin", lambda: words.pin(request.subject_public_key_info))


def _attributes(request: CertificationRequest) -> Rendering:
    """The attributes other than the requested extensions."""
    pairs = [(_ATTRIBUTES.get(oid, oid), _value(value)) for oid, value in request.other_attributes]
    return Rendering(tuple(f"{name}: {value}" for name, value in pairs), dict(pairs))


def _value(data: bytes) -> str:
    """Return a string as text, the members of a structure separated by commas, and other values in hex."""
    if not data:
        return "(empty)"
    if data[0] in (der.SEQUENCE, der.SET):
        return ", ".join(map(_value, der.children(data)))
    if data[0] == der.INTEGER:
        return words.number(int.from_bytes(der.contents(data), "big", signed=True))
    codec = _CODECS.get(data[0])
    return der.contents(data).decode(codec, "replace") if codec else der.contents(data).hex()


def _signature(request: CertificationRequest) -> Rendering:
    result = verdict(request, request.subject_public_key_info)
    text = f"{result.value} with the request's own key"
    data = {Verdict.GOOD: "good", Verdict.BAD: "bad", Verdict.UNKNOWN: "unknown"}[result]
    return Rendering((text,), data, alarm=result is Verdict.BAD)
