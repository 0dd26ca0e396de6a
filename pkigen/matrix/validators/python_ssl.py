"""Python's ``ssl``, which loads the files of a TLS server."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Sequence

from pkigen.matrix.line_protocol import ask
from pkigen.matrix.registry import register
from pkigen.matrix.validator import Answer, Capability, MatrixCase


class PythonSSL:
    """``SSLContext.load_cert_chain`` with the certificate and its chain, and then with the key.

    It reads the files of a server and validates nothing: the path is what it can load.
    """

    name = "python-ssl"
    looks_at: frozenset[Capability] = frozenset(("file", "key"))
    comes_with = "Python"

    def version(self) -> str | None:
        """``Python 3.11.7, OpenSSL 3.0.19``: it is always installed."""
        python = ".".join(map(str, sys.version_info[:3]))
        return f"Python {python}, {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases."""
        return ask((sys.executable, "-m", "pkigen.matrix.validators._python_ssl_worker"), cases)


PYTHON_SSL = register(PythonSSL())
