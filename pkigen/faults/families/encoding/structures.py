"""Object identifiers, deep nesting, and structures that are empty or encoded in another way (X.690)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp

_UNKNOWN = "1.3.6.1.4.1.55738.99.2"
_VERSION, _LAST_EXTENSION, _SIGNATURE = (0,), (7, 0, -1), (2,)
_VERSION_1 = der.explicit(0, der.integer(0))
_HUGE_ARC = b"\x2a\x03" + b"\xff" * 10_000 + b"\x7f"
_PADDED_ARC = b"\x2a\x03\x80\x04"


def _with_oid(case: Case, contents: bytes) -> Case:
    """Add an extension that is not critical, with these contents of its OID."""
    if not case.plan.extensions:
        raise Impossible("the certificate has no extensions")
    extension = der.sequence(der.tlv(der.OID, contents), der.octet_string(der.null()))
    return case.edit(Edit(_LAST_EXTENSION, EditOp.APPEND, extension))


@fault(
    "V",
    "parse",
    "X.690 8.19",
    finds=(
        "path:malformed",
        "der-encoding",
        "extension-once",
        "extension-known",
        "extension-readable",
        "extension-not-empty",
        "extension-not-critical",
        "ian-not-critical",
        "authority-key-identifier",
        "key-identifier",
        "subject-key-identifier",
        "key-usage-critical",
        "key-usage-some",
        "key-usage-no-certsign",
        "key-usage-consistent",
        "policies",
        "san-syntax",
        "ian-syntax",
        "san-not-empty",
        "no-path-length",
        "ca-only-extensions",
        "crl-point-complete",
        "crl-point-not-critical",
        "aia-not-critical",
        "name-constraints",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "server-purpose",
        "no-any-purpose",
        "digital-signature",
        "no-ca",
        "known-critical",
        "crl-distribution-point",
        "crl-url-http",
    ),
    cves=("CVE-2023-2650",),
)
def ext_oid_huge(case: Case) -> Case:
    """The certificate has an unknown extension whose OID has a number of 70,007 bits.

    Programs that print such an OID in decimal take very long, as OpenSSL did before 3.0.9. Some parsers
    reject it; the extension is not critical.
    """
    return _with_oid(case, _HUGE_ARC)


@fault(
    "V",
    "parse",
    "X.690 8.19.2",
    finds=(
        "path:malformed",
        "path-valid",
        "chain-of-trust",
    ),
)
def oid_leading_80(case: Case) -> Case:
    """The certificate has an unknown extension whose OID has an unnecessary byte 80.

    A number in an OID has the fewest possible bytes; strict parsers reject the certificate. The extension
    is not critical.
    """
    return _with_oid(case, _PADDED_ARC)


@fault("A", "parse", "4.2", cves=("CVE-2018-0739",))
def asn1_nested(case: Case, *, levels: int = 2_000) -> Case:
    """The certificate has an unknown extension with {levels} nested sequences.

    The extension is not critical: clients must ignore it (control case). Programs that decode it recursively
    may exhaust the stack.
    """
    return put(case, _UNKNOWN, _nested(levels))


@fault("V", "parse", "4.2", cves=("CVE-2018-0739",))
def asn1_nested_100000(case: Case) -> Case:
    """The certificate has an unknown extension with 100,000 nested sequences.

    The extension is not critical, and its value need not be decoded. Programs that decode it recursively
    may exhaust the stack; others reject the size of the certificate.
    """
    return put(case, _UNKNOWN, _nested(100_000))


def _nested(levels: int) -> bytes:
    headers, size = list[bytes](), 0
    for _ in range(levels):
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes((size,)) if size < 0x80 else bytes((0x80 | len(octets),)) + octets
        headers.append(bytes((der.SEQUENCE,)) + length)
        size += len(headers[-1])
    return b"".join(reversed(headers))


@fault("R", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_empty_sequence(case: Case) -> Case:
    """The certificate is an empty SEQUENCE.

    Parsers reject it: it has none of the three elements of a certificate.
    """
    return case.edit(Edit((), EditOp.REPLACE, der.sequence(), signed=False))


@fault(
    "V",
    "parse",
    "X.690 11.5",
    finds=(
        "authority-key-identifier",
        "subject-key-identifier",
        "version-3",
        "names-in-san",
        "server-purpose",
        "crl-distribution-point",
    ),
)
def der_explicit_default_v1(case: Case) -> Case:
    """The certificate has version 1, which is encoded although it is the default.

    DER omits default values; strict parsers reject the certificate. Version 1 has no extensions.
    """

    def change(plan: CertificatePlan) -> CertificatePlan:
        edit = Edit(_VERSION, EditOp.REPLACE, _VERSION_1)
        return replace(plan, extensions=(), edits=(*plan.edits, edit))

    return replace(case, entity=replace(case.entity, certificates=(change(case.plan),)))


@fault("V", "parse", "X.690 10.2", finds=("chain-issuer",))
def der_constructed_bitstring_sig(case: Case) -> Case:
    """The certificate has a signature that is a constructed BIT STRING.

    BER allows constructed strings, DER only primitive ones; strict parsers reject the certificate.
    """
    return case.edit(Edit(_SIGNATURE, EditOp.MAKE_CONSTRUCTED, signed=False))
