"""Mbed TLS."""

from __future__ import annotations

from pkigen.matrix.validators.libraries import Library

MBEDTLS = Library(
    "mbedtls",
    "mbedtls.c",
    frozenset(("path", "file", "host", "crl", "key")),
    "a C compiler and libmbedtls-dev",
    flags=("-lmbedtls", "-lmbedx509", "-lmbedcrypto"),
)
"""``mbedtls_x509_crt_verify`` with its default profile. CRLs are looked at where there are some; none needs
to be there."""
