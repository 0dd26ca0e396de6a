"""A current OpenSSL, the one that the package cryptography contains, as a TLS client."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pkigen.matrix.line_protocol import ask
from pkigen.matrix.registry import register
from pkigen.matrix.validator import Answer, Capability, MatrixCase


class OpenSSLCurrent:
    """A TLS client of pyOpenSSL with the default security level, and ``use_certificate_chain_file``.

    pyOpenSSL compares no host names. Every certificate of a path needs a CRL.
    """

    name = "openssl-current"
    looks_at: frozenset[Capability] = frozenset(("path", "file", "crl", "key"))
    comes_with = "pyOpenSSL and cryptography (PyPI)"

    def version(self) -> str | None:
        """``OpenSSL 4.0.3``: it is always installed."""
        from OpenSSL.SSL import OPENSSL_VERSION, SSLeay_version

        return " ".join(SSLeay_version(OPENSSL_VERSION).decode().split()[:2])

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases."""
        return ask((sys.executable, "-m", "pkigen.matrix.validators._openssl_current_worker"), cases)


OPENSSL_CURRENT = register(OpenSSLCurrent())
