"""CRLs: what they say of the certificate, and what is wrong with them (RFC 5280, 5 and 6.3).

But for being revoked, every fault gives the case an issuing authority of its own, whose CRL is the
faulty one; the certificate is not on it.
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
