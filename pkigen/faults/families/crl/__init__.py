"""CRLs that list the certificate, and faulty CRLs (RFC 5280, 5 and 6.3).

Except for revocations, every fault gives the case its own issuing CA with a faulty CRL, which does not list
the certificate.
"""

from pkigen.faults.families.crl import (
    extended,
    form,
    revoked,
    scope,
    served,
    signed,
    times,
)

__all__ = ["extended", "form", "revoked", "scope", "served", "signed", "times"]
