"""Signatures and their algorithms (RFC 5280, 4.1.1.2, 4.1.1.3 and 6.1.3 (a)(1))."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.registry import fault
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.signing import algorithm_of
from pkigen.model import CertificatePlan, Edit, EditOp, Signature

_OUTER, _INNER, _VALUE = (1,), (2,), (2,)
_ROGUE_KEY = "a stranger"
_UNKNOWN_ALGORITHM = "1.2.3.4.5"
_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
_ID_ALG_UNSIGNED = "1.3.6.1.5.5.7.6.36"
_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"


def _value(op: EditOp, data: bytes = b"") -> Edit:
    """An edit of the signature value, once it is made."""
    return Edit(_VALUE, op, data, signed=False)


def _algorithm(data: bytes) -> tuple[Edit, Edit]:
    """Another AlgorithmIdentifier, in both places that have it."""
    return Edit(_INNER, EditOp.REPLACE, data), Edit(_OUTER, EditOp.REPLACE, data, signed=False)


def _issuer_kind(case: Case) -> KeyKind:
    issuer = case.authorities[0] if case.authorities else case.entity
    return parse_kind(issuer.key)


def _under(case: Case, family: str, kind: str) -> Case:
    """The case with an issuer whose key is of a family: its own if need be."""
    if _issuer_kind(case).family == family:
        return case
    if not case.authorities:
        return case.with_key(kind)
    return case.change_authority(0, lambda entity: replace(entity, key=kind))


def _under_rsa(case: Case) -> Case:
    return _under(case, "rsa", "rsa-2048")


def _under_ec(case: Case) -> Case:
    return _under(case, "ec", "ec-p256")


def _signed_with(plan: CertificatePlan, digest: str) -> CertificatePlan:
    return replace(plan, signature=Signature(digest))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_bitflip(case: Case) -> Case:
    """One bit of its signature is flipped.

    The signature does not verify; the file was damaged, or somebody tried.
    """
    return case.edit(_value(EditOp.FLIP_LAST_BIT))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_empty(case: Case) -> Case:
    """Its signature has no bits.

    Nothing vouches for what it says.
    """
    return case.edit(_value(EditOp.REPLACE, der.bit_string(b"")))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_truncated(case: Case) -> Case:
    """Its signature is one octet short.

    The signature does not verify.
    """
    return case.edit(_value(EditOp.DROP_LAST_BYTE))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_tbs_tampered(case: Case) -> Case:
    """Its serial number was changed after it was signed.

    The signature does not verify: what it says is not what the CA signed.
    """
    return case.edit(Edit((0, 1), EditOp.FLIP_LAST_BIT, signed=False))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_wrong_issuer_key(case: Case) -> Case:
    """Another key than its issuer's signed it.

    Names and key identifiers fit; only the signature tells.
    """
    return case.change(rogue_key=_ROGUE_KEY)


@fault(
    "R",
    "path",
    "6.1.3 (a)(1)",
    finds=("path:bad-signature", "path-valid", "chain-complete", "chain-of-trust"),
)
def sig_wrong_issuer_key_ica(case: Case) -> Case:
    """Another key than the root's signed its issuing CA.

    The server's own certificate is sound; the one above it is not.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: replace(plan, rogue_key=_ROGUE_KEY))


@fault("A", "path", "6.1.1 (d)")
def sig_root_self_sig_bad(case: Case) -> Case:
    """Its root's signature of itself is junk.

    Trust in an anchor does not come from its signature: nobody has to look at it.
    """
    spoiled = _value(EditOp.FLIP_LAST_BIT)
    return case.change_authority_plan(case.root, lambda plan: replace(plan, edits=(*plan.edits, spoiled)))


@fault(
    "R",
    "parse",
    "4.1.1.2",
    finds=(
        "path:bad-signature",
        "algorithms-agree",
        "chain-issuer",
        "signature-sha256-rsa",
        "signature-hash-sha256",
    ),
)
def sig_inner_outer_mismatch(case: Case) -> Case:
    """The signature algorithm outside differs from the one that is signed.

    Both fields must say the same.
    """
    other = other_algorithm(_issuer_kind(case), case.plan.signature)
    return case.edit(Edit(_OUTER, EditOp.REPLACE, other, signed=False))


def other_algorithm(kind: KeyKind, signature: Signature) -> bytes:
    """An algorithm that a key of a kind does not use when it is asked to sign in a way."""
    if kind.family not in ("rsa", "ec"):
        return der.sequence(der.oid(_ECDSA_WITH_SHA256))
    found = (algorithm_of(kind, Signature(digest)) for digest in ("sha384", "sha512"))
    return next(one for one in found if one != algorithm_of(kind, signature))


@fault("V", "parse", "RFC 4055 5")
def sig_params_missing_null(case: Case) -> Case:
    """Its RSA signature algorithm has no parameters.

    They must be NULL, and be accepted when they are missing.
    """
    return _under_rsa(case).edit(*_algorithm(der.sequence(der.oid(_SHA256_WITH_RSA))))


@fault("V", "parse", "RFC 4055 5")
def sig_params_garbage(case: Case) -> Case:
    """Its RSA signature algorithm has junk for parameters.

    They must be NULL.
    """
    junk = der.octet_string(b"\xde\xad\xbe\xef")
    return _under_rsa(case).edit(*_algorithm(der.sequence(der.oid(_SHA256_WITH_RSA), junk)))


@fault("V", "parse", "RFC 5758 3.2", finds=("signature-sha256-rsa",))
def sig_ecdsa_null_params(case: Case) -> Case:
    """Its ECDSA signature algorithm has NULL for parameters.

    There must be none.
    """
    case = _under_ec(case)
    algorithm = algorithm_of(_issuer_kind(case), case.plan.signature)
    return case.edit(*_algorithm(der.sequence(*der.children(algorithm), der.null())))


@fault(
    "R",
    "path",
    "4.1.1.2",
    finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_alg_unknown_oid(case: Case) -> Case:
    """Its signature algorithm is one that nobody knows.

    What cannot be verified is not trusted.
    """
    return case.edit(*_algorithm(der.sequence(der.oid(_UNKNOWN_ALGORITHM))))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa"))
def sig_alg_key_type_mismatch(case: Case) -> Case:
    """Its signature algorithm is ECDSA, and its issuer's key is RSA.

    Algorithm and key do not go together.
    """
    return _under_rsa(case).edit(*_algorithm(der.sequence(der.oid(_ECDSA_WITH_SHA256))))


@fault("R", "path", "RFC 3279 2.2.3", finds=("path:bad-signature", "chain-issuer", "signature-sha256-rsa"))
def sig_ecdsa_raw_r_s(case: Case) -> Case:
    """Its ECDSA signature is the two numbers side by side.

    X.509 wants them in a SEQUENCE; some hardware gives them bare.
    """
    return _under_ec(case).edit(_value(EditOp.RAW_ECDSA_NUMBERS))


@fault(
    "R", "path", "CABF BR 7.1.3.2", finds=("no-weak-digest", "signature-sha256-rsa", "signature-hash-sha256")
)
def sig_md5(case: Case) -> Case:
    """It is signed with MD5.

    Others can be made with the same signature: no client should take it.
    """
    return _under_rsa(case).change(signature=Signature("md5"))


@fault(
    "R", "path", "CABF BR 7.1.3.2", finds=("no-weak-digest", "signature-sha256-rsa", "signature-hash-sha256")
)
def sig_sha1(case: Case) -> Case:
    """It is signed with SHA-1.

    Collisions have been made; many clients refuse it, those without a policy do not.
    """
    return _with_digests(case).change(signature=Signature("sha1"))


@fault("R", "path", "CABF BR 7.1.3.2", finds=("issuer-no-weak-digest",))
def sig_sha1_intermediate(case: Case) -> Case:
    """Its issuing CA is signed with SHA-1.

    The weak link is one further up.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: _signed_with(plan, "sha1"))


@fault("A", "path", "6.1.1 (d)")
def sig_sha1_root(case: Case) -> Case:
    """Its root is signed with SHA-1.

    Nobody relies on an anchor's own signature, and old roots are of this kind.
    """
    return case.change_authority_plan(case.root, lambda plan: _signed_with(plan, "sha1"))


def _with_digests(case: Case) -> Case:
    return case if _issuer_kind(case).family in ("rsa", "ec") else _under_ec(case)


@fault(
    "R",
    "path",
    "RFC 4055 3.1",
    finds=("path:bad-signature", "path-valid", "signature-sha256-rsa", "chain-of-trust"),
)
def sig_pss_salt_mismatch(case: Case) -> Case:
    """Its RSA-PSS parameters tell another length of salt than was used.

    The signature does not verify with the parameters that it comes with.
    """
    case = _under_rsa(case)
    declared = algorithm_of(_issuer_kind(case), Signature("sha256", pss=True))
    return case.change(signature=Signature("sha256", pss=True, salt=20)).edit(*_algorithm(declared))


@fault("V", "path", "CABF BR 7.1.3.2.1", finds=("signature-sha256-rsa",))
def sig_pss_short_salt(case: Case) -> Case:
    """Its RSA-PSS signature has a salt of 10 octets.

    The profile of the web wants as many as the digest has.
    """
    return _under_rsa(case).change(signature=Signature("sha256", pss=True, salt=10))


@fault("V", "path", "CABF BR 7.1.3.2.1", finds=("signature-sha256-rsa",))
def sig_pss_mgf1_mismatch(case: Case) -> Case:
    """Its RSA-PSS signature masks with SHA-1 and digests with SHA-256.

    The profile of the web wants the same digest for both.
    """
    return _under_rsa(case).change(signature=Signature("sha256", pss=True, mask="sha1"))


@fault(
    "R",
    "path",
    "RFC 9925 4",
    finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_unsigned_rfc9925(case: Case) -> Case:
    """It is unsigned, and says so.

    Such certificates carry keys; no path leads through them.
    """
    unsigned = der.sequence(der.oid(_ID_ALG_UNSIGNED))
    return case.edit(*_algorithm(unsigned), _value(EditOp.REPLACE, der.bit_string(b"")))


@fault("V", "path", "RFC 9881 3", finds=("signature-sha256-rsa", "signature-hash-sha256"))
def sig_mldsa65_chain(case: Case) -> Case:
    """Its issuing CA signs with ML-DSA-65.

    Clients that do not know the algorithm refuse it.
    """
    return case.change_authority(case.intermediate(), lambda entity: replace(entity, key="ml-dsa-65"))
