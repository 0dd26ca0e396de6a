"""Signature values that were forged or written in another way, and parameters of their algorithms."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.signature.algorithms import (
    algorithm_edits,
    issuer_kind,
    under_ec,
    under_rsa,
    value_edit,
)
from pkigen.faults.registry import fault
from pkigen.keys.signing import algorithm_of
from pkigen.model import Edit, EditOp, Signature

_OUTER, _SEQUENCE = (1,), (2, 0)
_BAD = ("path:bad-signature", "chain-issuer")
_PSS = "1.2.840.113549.1.1.10"
_SIGNED_WITH_PSS = Signature("sha256", pss=True)
_TRAILER_2 = der.explicit(3, der.integer(2))


def _numbers(case: Case, r: int, s: int) -> Case:
    """Replace the ECDSA signature by two numbers."""
    value = der.bit_string(der.sequence(der.integer(r), der.integer(s)))
    return case.edit(value_edit(EditOp.REPLACE, value))


@fault("R", "path", "6.1.3 (a)(1)", finds=(*_BAD, "signature-sha256-rsa"), cves=("CVE-2022-21449",))
def sig_ecdsa_zero(case: Case) -> Case:
    """The certificate has an ECDSA signature in which both numbers are 0.

    Both must be at least 1; Java 15 to 18 accepted such a signature for any data. Clients report an invalid
    signature.
    """
    return _numbers(under_ec(case), 0, 0)


@fault("R", "path", "6.1.3 (a)(1)", finds=(*_BAD, "signature-sha256-rsa"), cves=("CVE-2022-21449",))
def sig_ecdsa_order(case: Case) -> Case:
    """The certificate has an ECDSA signature with the curve's order as both numbers.

    Both must be less than the order, of which they are multiples as 0 is. Clients report an invalid
    signature.
    """
    case = under_ec(case)
    order = issuer_kind(case).order
    return _numbers(case, order, order)


@fault("R", "parse", "RFC 3279 2.2.3", finds=(*_BAD, "signature-sha256-rsa"))
def sig_ecdsa_trailing(case: Case) -> Case:
    """The certificate has an ECDSA signature that is followed by two extra bytes.

    The bytes are inside the BIT STRING, after the SEQUENCE of both numbers. Strict parsers reject the
    signature; others ignore the bytes.
    """
    return under_ec(case).edit(Edit(_SEQUENCE, EditOp.APPEND, bytes(2), signed=False))


@fault("R", "path", "6.1.3 (a)(1)", finds=_BAD)
def sig_all_zero(case: Case) -> Case:
    """The certificate has a signature that consists of zero bytes.

    Clients report an invalid signature.
    """
    return case.edit(value_edit(EditOp.ZERO_CONTENTS))


@fault("R", "path", "RFC 8017 8.2.2", finds=_BAD, cves=("CVE-2006-4339", "CVE-2014-1568"))
def sig_rsa_e3_forged(case: Case) -> Case:
    """The certificate has a forged RSA signature of an issuer key with the exponent 3.

    It is a cube root: the hash is right, and garbage follows it. Libraries that do not compare the
    complete padding accepted such signatures: OpenSSL before 0.9.8c, and NSS before 3.16.2.1 if the
    garbage was in a length field. Others report an invalid signature.
    """
    case.intermediate()
    case = case.change_authority(0, lambda entity: replace(entity, key="rsa-2048-e3"))
    return case.edit(Edit((), EditOp.FORGE_EXPONENT_3, signed=False))


@fault(
    "R",
    "parse",
    "4.1.1.2",
    finds=(
        "path:bad-signature",
        "algorithms-agree",
        "path-valid",
        "chain-of-trust",
    ),
    cves=("CVE-2014-8275",),
)
def sig_outer_params_differ(case: Case) -> Case:
    """The certificate has an outer algorithm without the NULL of the signed one.

    Both fields must be identical; the outer one is not signed. A client that ignores the difference has
    several fingerprints of one certificate.
    """
    case = under_rsa(case)
    oid, *_ = der.children(algorithm_of(issuer_kind(case), case.plan.signature))
    return case.edit(Edit(_OUTER, EditOp.REPLACE, der.sequence(oid), signed=False))


@fault(
    "V",
    "path",
    "RFC 8017 9.2",
    finds=(
        "path:bad-signature",
        "chain-issuer",
    ),
)
def sig_rsa_digestinfo_no_null(case: Case) -> Case:
    """The certificate has an RSA signature whose digest algorithm has no NULL.

    Signers must write it; RFC 8017 lets verifiers accept both forms. Most compare with one of them and
    report an invalid signature.
    """
    case = under_rsa(case)
    return case.change(signature=replace(case.plan.signature, bare_digest_info=True))


@fault(
    "R",
    "path",
    "RFC 4055 3.1",
    finds=(
        "path:bad-signature",
        "no-weak-digest",
        "chain-issuer",
        "signature-sha256-rsa",
        "signature-hash-sha256",
    ),
    cves=("CVE-2015-3194",),
)
def sig_pss_no_params(case: Case) -> Case:
    """The certificate has an RSA-PSS algorithm without parameters.

    The parameters must be present in a signature algorithm; clients cannot verify the signature.
    """
    case = under_rsa(case).change(signature=_SIGNED_WITH_PSS)
    return case.edit(*algorithm_edits(der.sequence(der.oid(_PSS))))


@fault(
    "R",
    "path",
    "RFC 4055 2.2",
    finds=(
        "path:bad-signature",
        "chain-issuer",
        "signature-sha256-rsa",
    ),
    cves=("CVE-2015-3194",),
)
def sig_pss_mgf1_no_params(case: Case) -> Case:
    """The certificate has an RSA-PSS algorithm whose MGF1 does not name a digest.

    Clients report an invalid algorithm. OpenSSL before 1.0.2e crashed when it read the missing parameter.
    """
    case = under_rsa(case).change(signature=_SIGNED_WITH_PSS)
    algorithm = algorithm_of(issuer_kind(case), _SIGNED_WITH_PSS)
    without = der.edit(algorithm, (1, 1, 0), lambda mask: der.sequence(der.children(mask)[0]))
    return case.edit(*algorithm_edits(without))


@fault(
    "R",
    "path",
    "RFC 4055 3.1",
    finds=(
        "path:bad-signature",
        "path-valid",
        "signature-sha256-rsa",
        "chain-of-trust",
    ),
)
def sig_pss_trailer_2(case: Case) -> Case:
    """The certificate has RSA-PSS parameters with the trailer field 2.

    The only defined value is 1; clients report an unsupported algorithm.
    """
    case = under_rsa(case).change(signature=_SIGNED_WITH_PSS)
    algorithm = algorithm_of(issuer_kind(case), _SIGNED_WITH_PSS)
    return case.edit(*algorithm_edits(der.edit(algorithm, (1, -1), lambda last: last + _TRAILER_2)))
