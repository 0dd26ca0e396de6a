"""Encodes CRLs and OCSP responses, and reads OCSP requests; without I/O."""

from pkigen.revocation.crl import (
    REASON_CODES,
    CertificateListPlan,
    RevokedCertificate,
    certificate_list,
)

__all__ = ["REASON_CODES", "CertificateListPlan", "RevokedCertificate", "certificate_list"]
