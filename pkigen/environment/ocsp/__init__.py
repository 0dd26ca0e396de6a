"""OCSP responses of an environment (RFC 6960): presigned by a build, and signed on request."""
