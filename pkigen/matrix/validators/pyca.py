"""pyca/cryptography: its x509.verification, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pkigen.matrix.line_protocol import ask
from pkigen.matrix.registry import register
from pkigen.matrix.validator import Answer, Capability, MatrixCase


class Pyca:
    """The library that pkigen itself signs with; its path validation is written in Rust.

    It does not look at CRLs.
    """

    name = "pyca"
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "key", "pkcs12"))
    comes_with = "cryptography (PyPI)"

    def version(self) -> str | None:
        """``cryptography 50.0.2``: it is always installed."""
        from importlib.metadata import version

        return f"cryptography {version('cryptography')}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases."""
        return ask((sys.executable, "-m", "pkigen.matrix.validators._pyca_worker"), cases)


PYCA = register(Pyca())
