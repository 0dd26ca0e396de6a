"""CRLs with a wrong signer, an invalid signature or a weak algorithm (RFC 5280, 6.3.3 (b), (f) and (g))."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import leave_out, put
from pkigen.faults.families.crl.changes import edit_crl, with_crl
from pkigen.faults.families.signature.algorithms import other_algorithm
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind
from pkigen.model import Edit, EditOp, Entity, Extension, Signature

_INNER, _OUTER, _ISSUER, _VALUE = (1,), (1,), (2,), (2,)
_KEY_IDENTIFIER = (-1, 0, 0, 1, 0, 0)
_SEPARATE = bytes(range(40, 60))
_REPLACED = (oids.KEY_USAGE, oids.BASIC_CONSTRAINTS, oids.SUBJECT_KEY_IDENTIFIER)
_ROGUE_KEY = "a stranger"
_NOBODY = names.name([("O", "Another Test PKI"), ("CN", "Another Test CA")])


@fault("R", "revocation", "6.3.3 (b)(1)", finds=("path:crl-missing",))
def crl_wrong_issuer(case: Case) -> Case:
    """The CRL names another CA as its issuer.

    Clients report that they cannot find a CRL of the issuer.
    """
    return edit_crl(case, Edit(_ISSUER, EditOp.REPLACE, names.encode(_NOBODY)))


@fault("R", "revocation", "6.3.3 (g)", finds=("path:crl-bad-signature", "crl-fresh", "crl-reachable"))
def crl_wrong_signer(case: Case) -> Case:
    """The CRL is signed with a key that is not its issuer's.

    Clients report an invalid CRL signature.
    """
    return with_crl(case, rogue_key=_ROGUE_KEY)


@fault("R", "revocation", "6.3.3 (g)", finds=("path:crl-bad-signature", "crl-fresh", "crl-reachable"))
def crl_bad_signature(case: Case) -> Case:
    """The CRL has a signature with one flipped bit.

    Clients report an invalid CRL signature. Publish it again.
    """
    return edit_crl(case, Edit(_VALUE, EditOp.FLIP_LAST_BIT, signed=False))


@fault("R", "revocation", "5.1.1.2", finds=("path:malformed", "crl-algorithms-agree"))
def crl_algorithm_mismatch(case: Case) -> Case:
    """The CRL has a signed algorithm other than that of its signature.

    The outer field names the algorithm of the signature, so that the signature verifies. Both fields
    must be identical; clients that compare them reject the CRL.
    """
    return edit_crl(case, Edit(_INNER, EditOp.REPLACE, _other_algorithm(case)))


@fault(
    "R",
    "revocation",
    "5.1.1.2",
    finds=("path:malformed", "crl-fresh", "crl-algorithms-agree", "crl-reachable"),
)
def crl_algorithm_mismatch_invalid(case: Case) -> Case:
    """The CRL has an outer algorithm that is not that of its signature.

    Clients report a malformed CRL, or an invalid CRL signature if they do not compare the algorithm
    with the signed one.
    """
    return edit_crl(case, Edit(_OUTER, EditOp.REPLACE, _other_algorithm(case), signed=False))


def _other_algorithm(case: Case) -> bytes:
    if not case.authorities:
        raise Impossible("the path has too few authorities")
    return other_algorithm(parse_kind(case.authorities[0].key), Signature())


@fault("R", "revocation", "6.3.3 (f)", finds=("path:crl-bad-signature", "ca-crl-sign"))
def crl_no_crlsign(case: Case) -> Case:
    """The issuing CA certificate lacks the key usage cRLSign.

    The CA must not sign CRLs without it; clients reject its CRL.
    """
    case = with_crl(case)
    usage = der.named_bits(("keyCertSign",), oids.KEY_USAGES)
    return put(case, oids.KEY_USAGE, usage, critical=True, level=0)


def _digested(case: Case, digest: str, families: tuple[str, ...], kind: str) -> Case:
    """Sign the CRL with a digest; replace the issuer's key by one of ``kind`` if its family does not fit."""

    def change(entity: Entity) -> Entity:
        return entity if parse_kind(entity.key).family in families else replace(entity, key=kind)

    return with_crl(case.change_authority(0, change), signature=Signature(digest))


@fault("V", "revocation", "CABF BR 7.1.3.2")
def crl_sha1(case: Case) -> Case:
    """The CRL is signed with SHA-1.

    Clients with an algorithm policy reject it; others accept it.
    """
    return _digested(case, "sha1", ("rsa", "ec"), "ec-p256")


@fault("V", "revocation", "CABF BR 7.1.3.2")
def crl_md5(case: Case) -> Case:
    """The CRL is signed with MD5.

    Clients should reject it, because forgeries with the same signature are practical.
    """
    return _digested(case, "md5", ("rsa",), "rsa-2048")


@fault("V", "revocation", "RFC 10007", finds=("ca-key-usage",))
def crl_issuer_ku_missing(case: Case) -> Case:
    """The issuing CA certificate has no key usage that permits it to sign CRLs.

    RFC 10007, of 2026, requires clients to check that the key usage of a CRL issuer exists and has
    cRLSign. Most check it only if it exists. The case has the same certificates as ku-ca-missing.
    """
    return leave_out(with_crl(case), oids.KEY_USAGE, 0)


@fault(
    "V",
    "revocation",
    "6.3.3 (f)",
    finds=(
        "crl-fresh",
        "crl-reachable",
        "chain-only-authorities",
    ),
)
def crl_separate_key(case: Case) -> Case:
    """The CRL is signed with a separate CRL key of the issuing CA.

    The root certified the key for the name of the issuing CA, with the key usage cRLSign. The chain file
    contains that certificate. Clients that know only the key of the issuing CA cannot verify the CRL.
    """
    case = with_crl(case)
    plan = case.authority_plan(case.intermediate())
    others = (one for one in plan.extensions if one.oid not in _REPLACED)
    extensions = (
        Extension(oids.KEY_USAGE, True, der.named_bits(("cRLSign",), oids.KEY_USAGES)),
        Extension(oids.BASIC_CONSTRAINTS, True, der.sequence()),
        Extension(oids.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(_SEPARATE)),
        *others,
    )
    case = case.with_extra("crl-key", replace(plan, extensions=extensions), case.root)
    signer = case.authorities[case.root - 1]
    edit = Edit(_KEY_IDENTIFIER, EditOp.REPLACE_CONTENTS, _SEPARATE)

    def change(entity: Entity) -> Entity:
        assert entity.crl is not None
        return replace(entity, crl=replace(entity.crl, rogue_key=signer.id, edits=(edit,)))

    issuing = change(case.authorities[0])
    return replace(case, authorities=(issuing, *case.authorities[1:]))
