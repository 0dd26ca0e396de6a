"""BearSSL."""

from __future__ import annotations

from pkigen.matrix.validators.libraries import Library

BEARSSL = Library(
    "bearssl",
    "bearssl.c",
    frozenset(("path", "file", "host", "key")),
    "a C compiler and libbearssl-dev",
    flags=("-lbearssl",),
)
"""Its X.509 engine "minimal", set as for its TLS clients. It does not look at CRLs, and its key files have no
passphrase."""
