"""Who signs an OCSP answer: the issuing CA, who it authorized, or somebody else (RFC 6960, 4.2.2)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.faults.families.ocsp.changes import answered, delegated
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp, Signature

_RESPONDER_ID, _SIGNATURE = (0,), (2,)
_ROGUE_KEY = "a stranger"


@fault("A", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_good(case: Case) -> Case:
    """Its OCSP answer is good, and signed by an authorized responder.

    The control: clients must accept a responder that the CA has certified for it.
    """
    return delegated(case)


@fault("R", "revocation", "RFC 6960 3.2")
def ocsp_bad_signature(case: Case) -> Case:
    """One bit of its OCSP answer's signature is flipped.

    Anybody could have written the answer.
    """
    return answered(case, edits=(Edit(_SIGNATURE, EditOp.FLIP_LAST_BIT, signed=False),))


@fault("R", "revocation", "RFC 6960 3.2")
def ocsp_wrong_key(case: Case) -> Case:
    """Another key than the one it names signed its OCSP answer.

    The answer says that it is the CA's, and the signature does not verify with the CA's key.
    """
    return answered(case, rogue_key=_ROGUE_KEY)


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_unrelated_responder(case: Case) -> Case:
    """Its OCSP answer is signed by somebody with a certificate of their own making.

    The CA authorized nobody of that name.
    """
    return delegated(case, issued_by="itself")


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_no_eku(case: Case) -> Case:
    """The responder's certificate has no extended key usage.

    Without OCSPSigning it is a certificate like any other of the CA.
    """
    return delegated(case, purposes=())


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_wrong_eku(case: Case) -> Case:
    """The responder's certificate is a TLS server's.

    Any server of the CA could answer so for any other.
    """
    return delegated(case, purposes=(oids.EXTENDED_KEY_USAGES["serverAuth"],))


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_expired(case: Case) -> Case:
    """The responder's certificate has expired.

    Its right to answer ended with it.
    """
    return delegated(case, ended=True)


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_other_ca(case: Case) -> Case:
    """The responder's certificate is another CA's.

    Only the CA that issued the certificate can authorize who answers for it.
    """
    return delegated(case, issued_by="another CA")


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_bad_signature(case: Case) -> Case:
    """The signature of the responder's certificate is spoiled.

    The CA did not authorize what it says.
    """
    return delegated(case, edits=(Edit(_SIGNATURE, EditOp.FLIP_LAST_BIT, signed=False),))


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_missing(case: Case) -> Case:
    """The responder's certificate is not in the answer.

    Without it nobody knows whose key signed.
    """
    return delegated(case, enclosed=False)


@fault("P", "lint", "RFC 6960 4.2.2.2.1")
def ocsp_delegate_no_nocheck(case: Case) -> Case:
    """The responder's certificate does not say whether to check itself.

    Without id-pkix-ocsp-nocheck a client may ask about the responder, and so on.
    """
    return delegated(case, extensions=())


@fault("R", "revocation", "RFC 6960 4.2.2.3")
def ocsp_responder_id_mismatch(case: Case) -> Case:
    """Its OCSP answer names another responder than the one that signed.

    The name has to lead to the key.
    """
    nobody = der.explicit(2, der.octet_string(bytes(20)))
    return answered(case, edits=(Edit(_RESPONDER_ID, EditOp.REPLACE, nobody),))


@fault("V", "revocation", "CABF BR 7.1.3.2")
def ocsp_sha1_signature(case: Case) -> Case:
    """Its OCSP answer is signed with SHA-1.

    Public responders must not; few clients look.
    """
    return answered(case, signature=Signature("sha1"))
