"""Signatures and their algorithms (RFC 5280, 4.1.1.2, 4.1.1.3 and 6.1.3 (a)(1))."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.key.public_keys import MODULUS, with_rsa
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


def value_edit(op: EditOp, data: bytes = b"") -> Edit:
    """Return an edit of the signature value."""
    return Edit(_VALUE, op, data, signed=False)


def algorithm_edits(data: bytes) -> tuple[Edit, Edit]:
    """Return edits that replace the AlgorithmIdentifier in both places that have it."""
    return Edit(_INNER, EditOp.REPLACE, data), Edit(_OUTER, EditOp.REPLACE, data, signed=False)


def issuer_kind(case: Case) -> KeyKind:
    """Return the kind of the key that signs the certificate."""
    issuer = case.authorities[0] if case.authorities else case.entity
    return parse_kind(issuer.key)


def _under(case: Case, family: str, kind: str) -> Case:
    """The case with an issuer whose key is of a family: its own if need be."""
    if issuer_kind(case).family == family:
        return case
    if not case.authorities:
        return case.with_key(kind)
    return case.change_authority(0, lambda entity: replace(entity, key=kind))


def under_rsa(case: Case) -> Case:
    """Return the case with an issuer that has an RSA key."""
    return _under(case, "rsa", "rsa-2048")


def under_ec(case: Case) -> Case:
    """Return the case with an issuer that has an EC key."""
    return _under(case, "ec", "ec-p256")


def _signed_with(plan: CertificatePlan, digest: str) -> CertificatePlan:
    return replace(plan, signature=Signature(digest))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_bitflip(case: Case) -> Case:
    """The certificate has a signature with one flipped bit.

    Clients report an invalid signature. The file is damaged or was altered; obtain it again.
    """
    return case.edit(value_edit(EditOp.FLIP_LAST_BIT))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_empty(case: Case) -> Case:
    """The certificate has an empty signature (a BIT STRING without bits).

    Clients report an invalid signature or a malformed certificate.
    """
    return case.edit(value_edit(EditOp.REPLACE, der.bit_string(b"")))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_truncated(case: Case) -> Case:
    """The certificate has a signature that is one byte short.

    Clients report an invalid signature. Obtain the file again.
    """
    return case.edit(value_edit(EditOp.DROP_LAST_BYTE))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_tbs_tampered(case: Case) -> Case:
    """The certificate serial number was changed after signing.

    Clients report an invalid signature: the content differs from what the CA signed.
    """
    return case.edit(Edit((0, 1), EditOp.FLIP_LAST_BIT, signed=False))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "key-matches", "chain-issuer"))
def sig_key_tampered(case: Case) -> Case:
    """The certificate public key was changed after signing.

    Clients report an invalid signature. The modulus of the RSA key is now even; the key file contains the
    original key.
    """
    return with_rsa(case, Edit((0, *MODULUS), EditOp.FLIP_LAST_BIT, signed=False))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:bad-signature", "chain-issuer"))
def sig_wrong_issuer_key(case: Case) -> Case:
    """The certificate is signed with a key that is not the issuer's.

    Names and key identifiers match, so clients build the path and then report an invalid signature.
    """
    return case.change(rogue_key=_ROGUE_KEY)


@fault(
    "R",
    "path",
    "6.1.3 (a)(1)",
    finds=("path:bad-signature", "path-valid", "chain-complete", "chain-of-trust"),
)
def sig_wrong_issuer_key_ica(case: Case) -> Case:
    """The issuing CA certificate is signed with a key that is not the root's.

    Clients report an invalid signature in the chain; the server certificate itself is valid.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: replace(plan, rogue_key=_ROGUE_KEY))


@fault("A", "path", "6.1.1 (d)")
def sig_root_self_sig_bad(case: Case) -> Case:
    """The root certificate has an invalid self-signature.

    Clients should accept the path: trust in an anchor does not depend on its signature, and
    validators do not have to verify it.
    """
    spoiled = value_edit(EditOp.FLIP_LAST_BIT)
    return case.change_authority_plan(case.root, lambda plan: replace(plan, edits=(*plan.edits, spoiled)))


@fault(
    "R",
    "parse",
    "4.1.1.2",
    finds=("path:bad-signature", "algorithms-agree", "path-valid", "chain-of-trust"),
)
def sig_inner_outer_mismatch(case: Case) -> Case:
    """The certificate has a signed algorithm other than that of its signature.

    The outer field names the algorithm of the signature, so that the signature verifies. Both fields
    must be identical; clients that compare them report a malformed certificate.
    """
    other = other_algorithm(issuer_kind(case), case.plan.signature)
    return case.edit(Edit(_INNER, EditOp.REPLACE, other))


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
def sig_inner_outer_mismatch_invalid(case: Case) -> Case:
    """The certificate has an outer algorithm that is not that of its signature.

    Clients report a malformed certificate, or an invalid signature if they do not compare the
    algorithm with the signed one.
    """
    other = other_algorithm(issuer_kind(case), case.plan.signature)
    return case.edit(Edit(_OUTER, EditOp.REPLACE, other, signed=False))


def other_algorithm(kind: KeyKind, signature: Signature) -> bytes:
    """An algorithm that a key of a kind does not use when it is asked to sign in a way."""
    if kind.family not in ("rsa", "ec"):
        return der.sequence(der.oid(_ECDSA_WITH_SHA256))
    candidates = (algorithm_of(kind, Signature(digest)) for digest in ("sha384", "sha512"))
    return next(one for one in candidates if one != algorithm_of(kind, signature))


@fault("V", "parse", "RFC 4055 5", finds=("rsa-null",))
def sig_params_missing_null(case: Case) -> Case:
    """The certificate has an RSA signature algorithm without parameters.

    The parameters must be NULL, but verifiers must also accept absent parameters; some reject them.
    """
    return under_rsa(case).edit(*algorithm_edits(der.sequence(der.oid(_SHA256_WITH_RSA))))


@fault("V", "parse", "RFC 4055 5", finds=("rsa-null",))
def sig_params_garbage(case: Case) -> Case:
    """The certificate has an RSA signature algorithm with invalid parameters.

    The parameters must be NULL; some parsers reject the certificate, others ignore the parameters.
    """
    junk = der.octet_string(b"\xde\xad\xbe\xef")
    return under_rsa(case).edit(*algorithm_edits(der.sequence(der.oid(_SHA256_WITH_RSA), junk)))


@fault("V", "parse", "RFC 5758 3.2", finds=("signature-sha256-rsa",))
def sig_ecdsa_null_params(case: Case) -> Case:
    """The certificate has an ECDSA signature algorithm with NULL parameters.

    The parameters must be absent; some parsers reject the certificate.
    """
    case = under_ec(case)
    algorithm = algorithm_of(issuer_kind(case), case.plan.signature)
    return case.edit(*algorithm_edits(der.sequence(*der.children(algorithm), der.null())))


@fault(
    "R",
    "path",
    "4.1.1.2",
    finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_alg_unknown_oid(case: Case) -> Case:
    """The certificate has an unknown signature algorithm.

    Clients report an unsupported algorithm, because they cannot verify the signature.
    """
    return case.edit(*algorithm_edits(der.sequence(der.oid(_UNKNOWN_ALGORITHM))))


@fault("R", "path", "6.1.3 (a)(1)", finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa"))
def sig_alg_key_type_mismatch(case: Case) -> Case:
    """The certificate names ECDSA as its signature algorithm; its issuer key is RSA.

    Clients report that the algorithm and the key do not match.
    """
    return under_rsa(case).edit(*algorithm_edits(der.sequence(der.oid(_ECDSA_WITH_SHA256))))


@fault("R", "path", "RFC 3279 2.2.3", finds=("path:bad-signature", "chain-issuer", "signature-sha256-rsa"))
def sig_ecdsa_raw_r_s(case: Case) -> Case:
    """The certificate has an ECDSA signature that is the concatenation of r and s.

    X.509 requires a SEQUENCE of both numbers; clients report an invalid signature. Some hardware
    returns the raw form, which must be converted.
    """
    return under_ec(case).edit(value_edit(EditOp.RAW_ECDSA_NUMBERS))


@fault(
    "R",
    "path",
    "CABF BR 7.1.3.2.1",
    finds=("no-weak-digest", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_md5(case: Case) -> Case:
    """The certificate is signed with MD5.

    Clients reject it: forged certificates with the same signature are practical. Reissue it with
    SHA-256.
    """
    return under_rsa(case).change(signature=Signature("md5"))


@fault(
    "R",
    "path",
    "CABF BR 7.1.3.2.1",
    finds=("no-weak-digest", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_sha1(case: Case) -> Case:
    """The certificate is signed with SHA-1.

    Many clients reject it, because collisions are practical; clients without an algorithm policy
    accept it. Reissue it with SHA-256.
    """
    return _with_digests(case).change(signature=Signature("sha1"))


@fault("R", "path", "CABF BR 7.1.3.2.1", finds=("issuer-no-weak-digest",))
def sig_sha1_intermediate(case: Case) -> Case:
    """The issuing CA certificate is signed with SHA-1.

    Many clients reject the chain, although the server certificate is valid. Reissue the CA
    certificate with SHA-256.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: _signed_with(plan, "sha1"))


@fault("A", "path", "6.1.1 (d)")
def sig_sha1_root(case: Case) -> Case:
    """The root certificate is signed with SHA-1.

    Clients should accept the path: no client relies on the self-signature of a trust anchor, and
    many old roots have one.
    """
    return case.change_authority_plan(case.root, lambda plan: _signed_with(plan, "sha1"))


def _with_digests(case: Case) -> Case:
    return case if issuer_kind(case).family in ("rsa", "ec") else under_ec(case)


@fault(
    "R",
    "path",
    "RFC 4055 3.1",
    finds=("path:bad-signature", "path-valid", "signature-sha256-rsa", "chain-of-trust"),
)
def sig_pss_salt_mismatch(case: Case) -> Case:
    """The certificate has RSA-PSS parameters with an incorrect salt length.

    Clients report an invalid signature, because verification uses the stated salt length.
    """
    case = under_rsa(case)
    declared = algorithm_of(issuer_kind(case), Signature("sha256", pss=True))
    return case.change(signature=Signature("sha256", pss=True, salt=20)).edit(*algorithm_edits(declared))


@fault("V", "path", "CABF BR 7.1.3.2.1", finds=("signature-sha256-rsa",))
def sig_pss_short_salt(case: Case) -> Case:
    """The certificate has an RSA-PSS signature with a salt of 10 bytes.

    The Baseline Requirements require a salt as long as the digest; some clients reject other
    lengths.
    """
    return under_rsa(case).change(signature=Signature("sha256", pss=True, salt=10))


@fault("V", "path", "CABF BR 7.1.3.2.1", finds=("signature-sha256-rsa",))
def sig_pss_mgf1_mismatch(case: Case) -> Case:
    """The certificate has an RSA-PSS signature with SHA-256, but MGF1 with SHA-1.

    The Baseline Requirements require the same digest for both; some clients reject the certificate.
    """
    return under_rsa(case).change(signature=Signature("sha256", pss=True, mask="sha1"))


@fault(
    "R",
    "path",
    "RFC 9925 4",
    finds=("path:no-issuer", "chain-issuer", "signature-sha256-rsa", "signature-hash-sha256"),
)
def sig_unsigned_rfc9925(case: Case) -> Case:
    """The certificate is unsigned and says so (id-alg-unsigned).

    Clients reject it in a path: unsigned certificates only carry a key and are valid only as trust
    anchors.
    """
    unsigned = der.sequence(der.oid(_ID_ALG_UNSIGNED))
    return case.edit(*algorithm_edits(unsigned), value_edit(EditOp.REPLACE, der.bit_string(b"")))


@fault("V", "path", "RFC 9881 3", finds=("signature-sha256-rsa", "signature-hash-sha256"))
def sig_mldsa65_chain(case: Case) -> Case:
    """The issuing CA signs with ML-DSA-65.

    Clients that do not support the algorithm report that it is unknown.
    """
    return case.change_authority(case.intermediate(), lambda entity: replace(entity, key="ml-dsa-65"))


@fault("V", "path", "RFC 9909 4", finds=("signature-sha256-rsa", "signature-hash-sha256"))
def sig_slhdsa(case: Case) -> Case:
    """The issuing CA signs with SLH-DSA-SHA2-128f.

    Clients that do not support the algorithm report that it is unknown. The signature has 17,088 bytes.
    """
    kind = "slh-dsa-sha2-128f"
    return case.change_authority(case.intermediate(), lambda entity: replace(entity, key=kind))
