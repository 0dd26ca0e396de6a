"""Signers of OCSP responses: the issuing CA, an authorized or an unauthorized responder (RFC 6960, 4.2.2)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.crl.changes import list_in_crl
from pkigen.faults.families.ocsp.changes import answered, delegated
from pkigen.faults.registry import fault
from pkigen.model import CrlEntry, Edit, EditOp, Signature

_RESPONDER_ID, _SIGNATURE = (0,), (2,)
_RESPONDER_SERIAL = 0x7265766F6B6564
_ROGUE_KEY = "a stranger"


@fault("A", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_good(case: Case) -> Case:
    """The OCSP response has the status good and is signed by an authorized responder.

    Clients must accept a responder that the CA has authorized (control case).
    """
    return delegated(case)


@fault("R", "revocation", "RFC 6960 3.2")
def ocsp_bad_signature(case: Case) -> Case:
    """The OCSP response has a signature with one flipped bit.

    Clients report an invalid signature: the response could come from anyone.
    """
    return answered(case, edits=(Edit(_SIGNATURE, EditOp.FLIP_LAST_BIT, signed=False),))


@fault("R", "revocation", "RFC 6960 3.2")
def ocsp_wrong_key(case: Case) -> Case:
    """The OCSP response names the CA as its responder but is signed with another key.

    Clients report an invalid signature, because it does not verify with the key of the CA.
    """
    return answered(case, rogue_key=_ROGUE_KEY)


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_unrelated_responder(case: Case) -> Case:
    """The OCSP response is signed by a responder with a self-signed certificate.

    Clients reject it: the CA did not authorize this responder.
    """
    return delegated(case, issued_by="itself")


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_no_eku(case: Case) -> Case:
    """The OCSP responder certificate has no extended key usage.

    Clients reject the response: without OCSPSigning, the CA has not authorized the responder.
    """
    return delegated(case, purposes=())


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_wrong_eku(case: Case) -> Case:
    """The OCSP responder certificate is a TLS server certificate.

    Clients reject the response; otherwise, any server of the CA could sign OCSP responses for any
    other.
    """
    return delegated(case, purposes=(oids.EXTENDED_KEY_USAGES["serverAuth"],))


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_expired(case: Case) -> Case:
    """The OCSP responder certificate has expired.

    Clients reject the response, because the authorization of the responder has ended.
    """
    return delegated(case, ended=True)


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_other_ca(case: Case) -> Case:
    """The OCSP responder certificate is issued by another trusted CA.

    The root issued it. Clients reject the response: only the CA that issued the certificate can authorize a
    responder.
    """
    root = case.authorities[case.intermediate() + 1 :][-1]
    if root.imported is not None and root.imported.key is None:
        raise Impossible(f"the key of '{root.name}' was not imported")
    return delegated(case, issued_by=root.id)


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_bad_signature(case: Case) -> Case:
    """The OCSP responder certificate has an invalid signature.

    Clients reject the response, because the CA did not sign the authorization.
    """
    return delegated(case, edits=(Edit(_SIGNATURE, EditOp.FLIP_LAST_BIT, signed=False),))


@fault("R", "revocation", "RFC 6960 4.2.2.2")
def ocsp_delegate_missing(case: Case) -> Case:
    """The OCSP response does not contain the responder certificate.

    Clients cannot determine the key that signed the response.
    """
    return delegated(case, enclosed=False)


@fault("P", "lint", "RFC 6960 4.2.2.2.1")
def ocsp_delegate_no_nocheck(case: Case) -> Case:
    """The OCSP responder certificate lacks the id-pkix-ocsp-nocheck extension.

    Clients may check the revocation status of the responder as well, and then that of its
    responder.
    """
    return delegated(case, extensions=())


@fault("R", "revocation", "RFC 6960 4.2.2.3")
def ocsp_responder_id_mismatch(case: Case) -> Case:
    """The OCSP response names a different responder than the one that signed it.

    Clients reject it: the responder ID must identify the key of the signature.
    """
    nobody = der.explicit(2, der.octet_string(bytes(20)))
    return answered(case, edits=(Edit(_RESPONDER_ID, EditOp.REPLACE, nobody),))


@fault("V", "revocation", "CABF BR 7.1.3.2")
def ocsp_sha1_signature(case: Case) -> Case:
    """The OCSP response is signed with SHA-1.

    Public responders must not use SHA-1; few clients check it.
    """
    return answered(case, signature=Signature("sha1"))


@fault("V", "revocation", "RFC 6960 4.2.2.2.1")
def ocsp_delegate_revoked(case: Case) -> Case:
    """The OCSP responder certificate is revoked.

    It has no id-pkix-ocsp-nocheck, and the CRL of the issuing CA lists it. Clients that check the status of
    the responder reject the response; many do not.
    """
    case = list_in_crl(case, CrlEntry(_RESPONDER_SERIAL))
    return delegated(case, extensions=(), serial=_RESPONDER_SERIAL)
