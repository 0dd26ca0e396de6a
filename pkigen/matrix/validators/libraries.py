"""Validators that are C and C++ libraries, each run through a small program in `matrix/programs`."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import SOURCES, compiled
from pkigen.matrix.line_protocol import FIELDS, ask
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase


@dataclass(frozen=True)
class Library:
    """One of them: its source, the compiler, what to link, or how to ask pkg-config for that."""

    name: str
    source: str
    looks_at: frozenset[Capability]
    comes_with: str
    compiler: str = "cc"
    flags: tuple[str, ...] = ()
    package: str = ""

    def version(self) -> str | None:
        """As the library says; None when it cannot be compiled with: compiler or headers are missing."""
        try:
            return run(self._program(), "--version").out.strip() or None
        except EnvironmentFailure:
            return None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases; EnvironmentFailure when the program cannot be compiled."""
        return ask([self._program()], cases, FIELDS)

    def _program(self) -> Path:
        compiler = shutil.which(self.compiler)
        if compiler is None:
            raise EnvironmentFailure(f"the {self.name} column of the matrix needs {self.comes_with}")
        source = SOURCES / self.source
        flags = (*self._of_package(), *self.flags)

        def command(made: Path) -> Sequence[str | Path]:
            return (compiler, "-O1", "-o", made, source, *flags)

        version = run(compiler, "--version").out
        return compiled(self.name, (source, SOURCES / "lines.h"), command, version, *flags)

    def _of_package(self) -> tuple[str, ...]:
        if not self.package or shutil.which("pkg-config") is None:
            return ()
        return tuple(shlex.split(run("pkg-config", "--cflags", "--libs", self.package).out))


BEARSSL = register(
    Library(
        "bearssl",
        "bearssl.c",
        frozenset(("path", "file", "host", "key")),
        "a C compiler and libbearssl-dev",
        flags=("-lbearssl",),
    )
)
"""Its X.509 engine "minimal", set as for its TLS clients. It does not look at CRLs, and its key files have no
passphrase."""


BOTAN = register(
    Library(
        "botan",
        "botan.cpp",
        frozenset(("path", "file", "host", "crl", "key")),
        "a C++ compiler, pkg-config and libbotan-2-dev",
        compiler="c++",
        flags=("-std=c++17",),
        package="botan-2",
    )
)
"""``x509_path_validate`` with its default restrictions; every certificate of a path needs a CRL.

Its demand that a CRL names one of the certificate's distribution points is passed over where no CRL of the
path has a scope: such a CRL is of all of them (RFC 5280, 6.3.3), and Botan takes none.
"""


HEIMDAL = register(
    Library(
        "heimdal",
        "heimdal.c",
        frozenset(("path", "file", "host", "crl")),
        "a C compiler, pkg-config and heimdal-multidev",
        flags=("-lhx509", "-lroken"),
        package="heimdal-krb5",
    )
)
"""``hx509_verify_path`` and ``hx509_verify_hostname``; every certificate of a path needs a CRL."""


MBEDTLS = register(
    Library(
        "mbedtls",
        "mbedtls.c",
        frozenset(("path", "file", "host", "crl", "key")),
        "a C compiler and libmbedtls-dev",
        flags=("-lmbedtls", "-lmbedx509", "-lmbedcrypto"),
    )
)
"""``mbedtls_x509_crt_verify`` with its default profile. CRLs are looked at where there are some; none needs
to be there."""


NSS = register(
    Library(
        "nss",
        "nss.c",
        frozenset(("path", "file", "host", "crl")),
        "a C compiler, pkg-config and libnss3-dev",
        package="nss",
    )
)
"""``CERT_PKIXVerifyCert`` for servers and ``CERT_VerifyCertName``; every certificate of a path needs a CRL.
Firefox has another validator (mozilla::pkix)."""


WOLFSSL = register(
    Library(
        "wolfssl",
        "wolfssl.c",
        frozenset(("path", "file", "host", "crl", "key", "pkcs12")),
        "a C compiler, pkg-config and libwolfssl-dev",
        package="wolfssl",
    )
)
"""A TLS 1.2 client, which validates certificates before the server signs anything. Every certificate of a
path needs a CRL."""
