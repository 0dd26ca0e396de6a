"""Issuing distribution points that do not cover the certificate, or contradict themselves (5.2.5, 6.3.3)."""

from __future__ import annotations

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import directory, uri
from pkigen.faults.families.crl.changes import extend_crl, list_in_crl, with_fixed_serial
from pkigen.faults.registry import fault
from pkigen.model import CrlEntry, Extension

_POINT, _FULL_NAME = 0, 0
_TRUE = b"\xff"
_ONLY_USER, _ONLY_CA, _INDIRECT, _ONLY_ATTRIBUTE = (der.tlv(tag, _TRUE) for tag in (0x81, 0x82, 0x84, 0x85))
_KEY_COMPROMISE = der.tlv(0x83, der.contents(der.named_bits(("keyCompromise",), oids.REASON_FLAGS)))
_OTHER_CA = names.name([("O", "Another Test PKI"), ("CN", "Another Test CA")])
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
    full_name = der.explicit(_FULL_NAME, uri(_ELSEWHERE))
    return _scoped(case, der.explicit(_POINT, full_name))


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
    """The CRL covers only end-entity certificates and also only CA certificates.

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


@fault("R", "revocation", "6.3.3 (b)(2)(i)", finds=("path:crl-missing",))
def crl_idp_noncritical_mismatch(case: Case) -> Case:
    """The CRL is for a different distribution point, without being critical.

    The extension must be critical. Clients that process it report no usable CRL; others ignore it.
    """
    full_name = der.explicit(_FULL_NAME, uri(_ELSEWHERE))
    return extend_crl(case, oids.ISSUING_DISTRIBUTION_POINT, der.sequence(der.explicit(_POINT, full_name)))


@fault("V", "revocation", "5.3.3", finds=())
def crl_indirect_entry(case: Case) -> Case:
    """The CRL is indirect and lists the serial number for a certificate of another CA.

    Clients that support indirect CRLs must accept the certificate. Others do not use the CRL, or treat
    the certificate as revoked.
    """
    issuer = Extension(oids.CERTIFICATE_ISSUER, True, der.sequence(directory(_OTHER_CA)))
    case = with_fixed_serial(_scoped(case, _INDIRECT))
    return list_in_crl(case, CrlEntry(case.plan.serial, (issuer,)))


@fault("V", "revocation", "4.2.1.13", finds=())
def cdp_crl_issuer(case: Case) -> Case:
    """The certificate refers to a CRL of another CA, but the CRL is its issuer's.

    The distribution point names the other CA as the CRL issuer. Clients that support indirect CRLs report no
    usable CRL; others ignore the field.
    """
    crl_url = _point(case)
    point = der.sequence(der.explicit(0, der.explicit(0, uri(crl_url))), der.tlv(0xA2, directory(_OTHER_CA)))
    return put(case, oids.CRL_DISTRIBUTION_POINTS, der.sequence(point))


@fault("V", "revocation", "4.2.1.13", finds=("crl-distribution-point",))
def cdp_relative_name(case: Case) -> Case:
    """The certificate has a CRL distribution point relative to the issuer's name.

    Clients would look for it in a directory (LDAP). Clients that download CRLs over HTTP have no URL.
    """
    _point(case)
    (attribute,) = der.children(der.children(names.encode(names.name([("CN", "CRL1")])))[0])
    point = der.sequence(der.explicit(0, der.tlv(0xA1, attribute)))
    return put(case, oids.CRL_DISTRIBUTION_POINTS, der.sequence(point))


def _point(case: Case) -> str:
    """Return the URL of the issuer's CRL; Impossible if the certificate does not refer to it."""
    crl = case.authorities[0].crl if case.authorities else None
    if crl is None or case.extension(oids.CRL_DISTRIBUTION_POINTS) is None:
        raise Impossible("the certificate does not say where the CRL of its issuer is")
    return crl.url
