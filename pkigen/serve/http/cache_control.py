"""The Cache-Control header of published CRLs and CA certificates."""

from __future__ import annotations

from datetime import datetime

from pkigen.serve.http.metadata import PublishedMetadata

# A cache must revalidate before each use.
_REVALIDATE = "no-cache"
# A CA certificate is replaced rarely, and by hand.
_CERTIFICATE_SECONDS = 3600


def cache_control(metadata: PublishedMetadata | None, now: datetime) -> str:
    """Return the Cache-Control header of a published file (RFC 9111, 5.2.2).

    A CRL may be cached until its next_update (as RFC 5019, 6.2 requires for OCSP responses).
    """
    if metadata is None or (metadata.is_crl and metadata.ends is None):
        return _REVALIDATE
    if not metadata.is_crl:
        return f"public, max-age={_CERTIFICATE_SECONDS}, no-transform"
    return f"public, max-age={metadata.remaining(now)}, no-transform, must-revalidate"
