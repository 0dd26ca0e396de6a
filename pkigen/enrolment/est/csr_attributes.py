"""CSR attributes: what the server wants a request to contain (RFC 7030, 4.5.2; RFC 9908)."""

from __future__ import annotations

from pkigen.asn1 import der
from pkigen.enrolment.requested_key import key_kind
from pkigen.profile.enrolment import Template

CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105  an OID
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_RSA = "1.2.840.113549.1.1.1"


def csr_attributes(template: Template, *, with_challenge_password: bool = False) -> bytes:
    """Return the DER of CsrAttrs, empty if the server wants nothing.

    The kind of key is an attribute: the curve of an EC key, the bits of an RSA key (RFC 9908, 3.2).
    """
    attributes = [der.oid(CHALLENGE_PASSWORD)] if with_challenge_password else []
    if "key" in template.own_keys:
        attributes.append(_key_attribute(template))
    return der.sequence(*attributes) if attributes else b""


def _key_attribute(template: Template) -> bytes:
    kind = key_kind(template)
    if kind.family == "rsa":
        return der.sequence(der.oid(_RSA), der.set_of(der.integer(kind.size)))
    if kind.family == "ec":
        return der.sequence(der.oid(_EC_PUBLIC_KEY), der.set_of(der.oid(kind.oid)))
    return der.oid(kind.oid)
