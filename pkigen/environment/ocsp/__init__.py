"""OCSP responses: signed per request, or signed by the build for cases with an OCSP fault (RFC 6960)."""
