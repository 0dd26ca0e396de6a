"""Encodes CRLs and OCSP responses, and reads OCSP requests; without I/O."""

from pkigen.revocation.crl import (
    CertificateListPlan,
    RevokedCertificate,
    certificate_list,
)

__all__ = ["CertificateListPlan", "RevokedCertificate", "certificate_list"]
