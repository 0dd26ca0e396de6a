"""Issuing distribution points that do not cover the certificate, or contradict themselves (5.2.5, 6.3.3)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.general_names import uri
from pkigen.faults.families.crl.changes import extend_crl
from pkigen.faults.registry import fault

_POINT, _FULL_NAME = 0, 0
_TRUE = b"\xff"
_ONLY_USER, _ONLY_CA, _INDIRECT, _ONLY_ATTRIBUTE = (der.tlv(tag, _TRUE) for tag in (0x81, 0x82, 0x84, 0x85))
_KEY_COMPROMISE = der.tlv(0x83, der.contents(der.named_bits(("keyCompromise",), oids.REASON_FLAGS)))
_ELSEWHERE = "http://crl.invalid/elsewhere.crl"


def _scoped(case: Case, *parts: bytes) -> Case:
    """An issuing distribution point, which is critical."""
    return extend_crl(case, oids.ISSUING_DISTRIBUTION_POINT, der.sequence(*parts), critical=True)


@fault("R", "revocation", "6.3.3 (b)(2)(i)", finds=("path:crl-missing",))
def crl_idp_uri_mismatch(case: Case) -> Case:
    """Its CRL is for another distribution point than the certificate names.

    A CA can split its CRL; this part is not the one that would list the certificate.
    """
    names = der.explicit(_FULL_NAME, uri(_ELSEWHERE))
    return _scoped(case, der.explicit(_POINT, names))


@fault("R", "revocation", "6.3.3 (b)(2)(iii)", finds=("path:crl-missing",))
def crl_idp_only_ca(case: Case) -> Case:
    """Its CRL is for certificates of CAs alone.

    An end entity's would never be in it: that it is not says nothing.
    """
    return _scoped(case, _ONLY_CA)


@fault("R", "revocation", "6.3.3 (b)(2)(iv)", finds=("path:crl-missing",))
def crl_idp_only_attribute(case: Case) -> Case:
    """Its CRL is for attribute certificates alone.

    A public key certificate would never be in it.
    """
    return _scoped(case, _ONLY_ATTRIBUTE)


@fault("R", "revocation", "5.2.5", finds=("path:crl-missing",))
def crl_idp_user_and_ca(case: Case) -> Case:
    """Its CRL is for end entities alone, and for CAs alone.

    Nothing is both: at most one of the two may be said.
    """
    return _scoped(case, _ONLY_USER, _ONLY_CA)


@fault("R", "revocation", "4.2.1.13", finds=("path:crl-missing",))
def crl_idp_some_reasons(case: Case) -> Case:
    """Its CRL is for revocations because of keyCompromise alone.

    There must be one for all reasons: it may be revoked for another, and nobody can tell.
    """
    return _scoped(case, _KEY_COMPROMISE)


@fault("V", "revocation", "5.2.5")
def crl_idp_indirect(case: Case) -> Case:
    """Its CRL says that it lists certificates of other CAs too, and lists none.

    Clients that do not support indirect CRLs do not use it; to the others it is complete.
    """
    return _scoped(case, _INDIRECT)


@fault("V", "revocation", "5.2.5", finds=("path:crl-missing",))
def crl_idp_empty(case: Case) -> Case:
    """Its CRL has an issuing distribution point that says nothing.

    CAs must not write it; most clients read it as a CRL for everything.
    """
    return _scoped(case)
