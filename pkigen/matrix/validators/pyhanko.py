"""pyhanko-certvalidator, the path validation of pyHanko, in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from pkigen.matrix.line_protocol import JSON, Form, ask
from pkigen.matrix.registry import register
from pkigen.matrix.validator import Answer, Capability, MatrixCase


class PyHanko:
    """Path validation for signatures of documents, here with the extended key usage of servers.

    It reads no PEM files and compares no host names. Every certificate of a path needs a CRL.
    """

    name = "pyhanko"
    looks_at: frozenset[Capability] = frozenset(("path", "crl"))
    comes_with = "pyhanko-certvalidator (PyPI)"

    def version(self) -> str | None:
        """``pyhanko-certvalidator 0.33.0``; None when it is not installed."""
        try:
            return f"pyhanko-certvalidator {version('pyhanko-certvalidator')}"
        except PackageNotFoundError:
            return None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases."""
        return ask((sys.executable, "-m", "pkigen.matrix.validators._pyhanko_worker"), cases, _EXACT)


def _with_exact_time(case: MatrixCase) -> str:
    """Return the line of a case with fractions of a second: it compares the instants of revocations."""
    return json.dumps({**json.loads(JSON.write(case)), "at": case.at.isoformat()})


_EXACT = Form(_with_exact_time, JSON.read)


PYHANKO = register(PyHanko())
