"""Botan."""

from __future__ import annotations

from pkigen.matrix.validators.libraries import Library

BOTAN = Library(
    "botan",
    "botan.cpp",
    frozenset(("path", "file", "host", "crl", "key")),
    "a C++ compiler, pkg-config and libbotan-2-dev",
    compiler="c++",
    flags=("-std=c++17",),
    package="botan-2",
)
"""``x509_path_validate`` with its default restrictions; every certificate of a path needs a CRL.

Its demand that a CRL names one of the certificate's distribution points is passed over where no CRL of the
path has a scope: such a CRL is of all of them (RFC 5280, 6.3.3), and Botan takes none.
"""
