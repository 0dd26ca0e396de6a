"""Which tools of ``tests.tools`` each validator needs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pkigen.matrix import Validator
from tests.tools import gaps_are_failures

TOOLS: dict[str, tuple[str, ...]] = {
    "openssl": ("openssl",),
    "openssl-strict": ("openssl",),
    "gnutls": ("certtool", "faketime"),
    "nss": ("cc", "pkg-config", "nss"),
    "heimdal": ("cc", "pkg-config", "heimdal"),
    "go": ("go",),
    "pyca": (),
    "mbedtls": ("cc", "mbedtls"),
    "botan": ("c++", "pkg-config", "botan"),
    "bearssl": ("cc", "bearssl"),
    "webpki": ("faketime",),
    "java": ("javac",),
    "bouncycastle": ("javac", "bouncycastle"),
    "java-crldp": ("javac",),
    "java-ocsp": ("javac",),
    "openssl-ocsp": ("openssl", "faketime"),
    "python-ssl": (),
    "openssl-current": (),
}
"""A new validator works without an entry here; an entry makes the summary of `make test` name its tools."""
OPTIONAL = frozenset(("java-current", "pyhanko", "mono", "chromium", "firefox", "wolfssl", "erlang"))
"""Columns that only `make validators` installs and runs with many cases."""
ALL = os.environ.get("PKIGEN_VALIDATORS") == "all"
"""Whether this is `make validators`."""


def parameter(validator: Validator) -> Any:
    """Return a test's parameter; the test is skipped where the validator is not installed, except in CI."""
    if validator.name in TOOLS:
        mark = pytest.mark.needs(*TOOLS[validator.name])
    else:
        required = gaps_are_failures() and validator.name not in OPTIONAL
        absent = not required and validator.version() is None
        mark = pytest.mark.skipif(absent, reason=f"needs {validator.name} ({validator.comes_with})")
    return pytest.param(validator, id=validator.name, marks=mark)
