"""Certificates and CA certificates with one deviation from RFC 5280, for the tests of the set rfc5280."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from tests.requirements.certificate_builder import (
    DAY,
    NOW,
    Made,
    constraints,
    extension,
    san,
    usage,
)

RSA_WITHOUT_NULL = der.sequence(der.oid("1.2.840.113549.1.1.11"))
IDENTIFIER = bytes(range(20))
AKI = extension(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.tlv(0x80, IDENTIFIER)))
SKI = extension(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(IDENTIFIER))
DNS = san(der.tlv(0x82, b"host.example.test"))
LEAF = (SKI, AKI, usage("digitalSignature"), DNS)
CA = (SKI, AKI, usage("keyCertSign", "cRLSign"), constraints(der.boolean(True)))
EMPTY = der.sequence()


def leaf(*extensions: bytes, without: str = "") -> Made:
    """Return an end-entity certificate with further extensions, and without those of an OID."""
    others = (one for one in LEAF if not without or der.oid(without) not in one)
    return Made(extensions=(*others, *extensions))


def ca(*extensions: bytes, without: str = "") -> Made:
    others = (one for one in CA if not without or der.oid(without) not in one)
    return Made(extensions=(*others, *extensions))


def leaf_with(oid: str, value: bytes, *, critical: bool = False, without: str = "") -> Made:
    return leaf(extension(oid, value, critical=critical), without=without)


def ca_with(oid: str, value: bytes, *, critical: bool = False, without: str = "") -> Made:
    return ca(extension(oid, value, critical=critical), without=without)


def with_names(oid: str, *names: bytes) -> Made:
    without = oid if oid == oids.SUBJECT_ALTERNATIVE_NAME else ""
    return leaf_with(oid, der.sequence(*names), without=without)


def with_subject(oid: str, tag: int, text: bytes) -> Made:
    attribute = der.set_of(der.sequence(der.oid(oid), der.tlv(tag, text)))
    return Made(subject=der.sequence(attribute), extensions=LEAF)


def with_issuer(oid: str, tag: int, text: bytes) -> Made:
    attribute = der.set_of(der.sequence(der.oid(oid), der.tlv(tag, text)))
    return Made(issuer=der.sequence(attribute), extensions=LEAF)


def with_times(tag: int, text: bytes) -> Made:
    return Made(times=der.sequence(der.time(NOW - DAY), der.tlv(tag, text)), extensions=LEAF)


def with_usage(value: bytes) -> Made:
    return leaf_with(oids.KEY_USAGE, value, critical=True, without=oids.KEY_USAGE)


def with_policies(*policies: bytes) -> Made:
    return leaf_with(oids.CERTIFICATE_POLICIES, der.sequence(*policies))


def notice(text: bytes) -> bytes:
    qualifier = der.sequence(der.oid(oids.USER_NOTICE), der.sequence(text))
    return der.sequence(der.oid("1.2.3.4"), der.sequence(qualifier))


def with_constraint(*parts: bytes) -> Made:
    return ca_with(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(*parts))), critical=True)


def with_mapping(issuer: str, subject: str) -> Made:
    pair = der.sequence(der.oid(issuer), der.oid(subject))
    return ca_with(oids.POLICY_MAPPINGS, der.sequence(pair), critical=True)


def key_without_null() -> bytes:
    algorithm, bits = der.children(Made().key)
    return der.sequence(der.sequence(der.children(algorithm)[0]), bits)


NAME = der.tlv(0x82, b"example.test")
POLICY = der.sequence(der.oid("1.2.3.4"))
ANY_WITH_QUALIFIER = der.sequence(
    der.oid(oids.ANY_POLICY), der.sequence(der.sequence(der.oid("1.2.3.5"), der.null()))
)
LOCATION = der.sequence(der.oid(oids.CA_ISSUERS_ACCESS), der.tlv(0x86, b"http://a.test/ca.crt"))
POINTS = der.sequence(der.sequence(der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, b"http://a.test/a.crl")))))
SAN, IAN = oids.SUBJECT_ALTERNATIVE_NAME, oids.ISSUER_ALTERNATIVE_NAME
ALTERNATIVE_NAMES = {
    "dns_empty_label": der.tlv(0x82, b"a..test"),
    "dns_hyphen": der.tlv(0x82, b"-a.test"),
    "dns_label_too_long": der.tlv(0x82, b"a" * 64 + b".test"),
    "dns_underscore": der.tlv(0x82, b"a_b.test"),
    "dns_too_long": der.tlv(0x82, b"a." * 125 + b"test"),
    "dns_not_ia5_string": der.tlv(0x82, "bücher.test".encode()),
    "dns_space": der.tlv(0x82, b" "),
    "dns_not_unicode": der.tlv(0x82, b"xn--99999999999.test"),
    "empty_name": der.tlv(0x81),
    "email_in_brackets": der.tlv(0x81, b"<a@b.test>"),
    "email_with_comment": der.tlv(0x81, b"a@b.test (work)"),
    "uri_relative": der.tlv(0x86, b"/a/b"),
    "uri_without_scheme": der.tlv(0x86, b"a.test/b"),
    "uri_without_specific_part": der.tlv(0x86, b"http:"),
    "uri_host_not_fqdn": der.tlv(0x86, b"http://a_b/x"),
    "uri_host_wildcard": der.tlv(0x86, b"http://a.*.test/"),
    "uri_not_ia5_string": der.tlv(0x86, "http://bücher.test/".encode()),
    "ip_with_mask": der.tlv(0x87, bytes(8)),
}
