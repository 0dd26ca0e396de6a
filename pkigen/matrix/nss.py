"""NSS: libpkix, with the check of names that its TLS clients make."""

from __future__ import annotations

from pkigen.matrix.validators.libraries import Library

NSS = Library(
    "nss",
    "nss.c",
    frozenset(("path", "file", "host", "crl")),
    "a C compiler, pkg-config and libnss3-dev",
    package="nss",
)
"""``CERT_PKIXVerifyCert`` for servers and ``CERT_VerifyCertName``; every certificate of a path needs a CRL.
Firefox has another validator (mozilla::pkix)."""
