"""Mono: X509Chain and the checks of its TLS clients, which are written in C#; a process for all cases."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import SOURCES, compiled
from pkigen.matrix.line_protocol import FIELDS, ask
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_SOURCE = SOURCES / "mono" / "Judge.cs"


class Mono:
    """What Mono's ``SslStream`` does with a certificate: purpose, host name, and X509Chain with CRLs.

    It reads no PEM files. Every certificate of a path needs a CRL.
    """

    name = "mono"
    looks_at: frozenset[Capability] = frozenset(("path", "host", "crl"))
    comes_with = "mono-runtime and mono-mcs"

    def version(self) -> str | None:
        """``Mono 6.8.0.105``; None if the runtime or the compiler is not installed."""
        try:
            return run(*_command(), "--version").out.strip() or None
        except EnvironmentFailure:
            return None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by case name; EnvironmentFailure if the program cannot be compiled."""
        # The user's certificate stores are in the configuration directory; their times are local.
        with TemporaryDirectory(prefix="pkigen-") as directory:
            return ask(_command(), cases, FIELDS, environ={"XDG_CONFIG_HOME": directory, "TZ": "UTC"})


def _command() -> list[str | Path]:
    mono, compiler = shutil.which("mono"), shutil.which("mcs")
    if mono is None or compiler is None:
        raise EnvironmentFailure(f"the mono column of the matrix needs {MONO.comes_with}")

    def command(made: Path) -> Sequence[str | Path]:
        return (compiler, f"-out:{made}", "-r:Mono.Security", _SOURCE)

    return [mono, compiled("mono", [_SOURCE], command, run(mono, "--version").out)]


MONO = register(Mono())
