"""CRLs and OCSP answers as bytes: pure builders that know neither disk nor HTTP."""

from pkigen.revocation.crl import (
    REASON_CODES,
    CertificateListPlan,
    RevokedCertificate,
    certificate_list,
)

__all__ = ["REASON_CODES", "CertificateListPlan", "RevokedCertificate", "certificate_list"]
