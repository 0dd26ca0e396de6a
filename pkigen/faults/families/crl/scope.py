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
    """Add a critical issuing distribution point to the CRL."""
    return extend_crl(case, oids.ISSUING_DISTRIBUTION_POINT, der.sequence(*parts), critical=True)


@fault("R", "revocation", "6.3.3 (b)(2)(i)", finds=("path:crl-missing",))
def crl_idp_uri_mismatch(case: Case) -> Case:
    """The CRL is for a different distribution point than the one in the certificate.

    CAs can partition their CRLs; this partition does not cover the certificate, so clients report
    no usable CRL.
    """
    names = der.explicit(_FULL_NAME, uri(_ELSEWHERE))
    return _scoped(case, der.explicit(_POINT, names))


@fault("R", "revocation", "6.3.3 (b)(2)(iii)", finds=("path:crl-missing",))
def crl_idp_only_ca(case: Case) -> Case:
    """The CRL covers only CA certificates.

    It would never list an end-entity certificate; clients must not treat the certificate as not
    revoked.
    """
    return _scoped(case, _ONLY_CA)


@fault("R", "revocation", "6.3.3 (b)(2)(iv)", finds=("path:crl-missing",))
def crl_idp_only_attribute(case: Case) -> Case:
    """The CRL covers only attribute certificates.

    It would never list a public key certificate, so clients report no usable CRL.
    """
    return _scoped(case, _ONLY_ATTRIBUTE)


@fault("R", "revocation", "5.2.5", finds=("path:crl-missing",))
def crl_idp_user_and_ca(case: Case) -> Case:
    """The CRL covers only end-entity certificates and, at once, only CA certificates.

    The two contradict each other: at most one of the fields may be true. Clients report no usable
    CRL.
    """
    return _scoped(case, _ONLY_USER, _ONLY_CA)


@fault("R", "revocation", "4.2.1.13", finds=("path:crl-missing",))
def crl_idp_some_reasons(case: Case) -> Case:
    """The CRL covers only revocations with the reason keyCompromise.

    A CRL that covers all reasons must exist; without it, clients cannot exclude a revocation for
    another reason.
    """
    return _scoped(case, _KEY_COMPROMISE)


@fault("V", "revocation", "5.2.5")
def crl_idp_indirect(case: Case) -> Case:
    """The CRL is marked as an indirect CRL but has no entries of other CAs.

    Clients that do not support indirect CRLs do not use it; for others it is complete.
    """
    return _scoped(case, _INDIRECT)


@fault("V", "revocation", "5.2.5", finds=("path:crl-missing",))
def crl_idp_empty(case: Case) -> Case:
    """The CRL has an empty issuing distribution point extension.

    CAs must not issue it; most clients treat the CRL as complete.
    """
    return _scoped(case)
