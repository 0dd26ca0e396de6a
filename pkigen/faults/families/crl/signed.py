"""CRLs with a wrong signer, an invalid signature or a weak algorithm (RFC 5280, 6.3.3 (b), (f) and (g))."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.faults.families.crl.changes import edit_crl, with_crl
from pkigen.faults.families.signature.algorithms import other_algorithm
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind
from pkigen.model import Edit, EditOp, Entity, Signature

_INNER, _OUTER, _ISSUER, _VALUE = (1,), (1,), (2,), (2,)
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
