"""Heimdal: its library hx509."""

from __future__ import annotations

from pkigen.matrix.validators.libraries import Library

HEIMDAL = Library(
    "heimdal",
    "heimdal.c",
    frozenset(("path", "file", "host", "crl")),
    "a C compiler, pkg-config and heimdal-multidev",
    flags=("-lhx509", "-lroken"),
    package="heimdal-krb5",
)
"""``hx509_verify_path`` and ``hx509_verify_hostname``; every certificate of a path needs a CRL."""
