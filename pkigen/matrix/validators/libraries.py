"""Validators that are libraries: a small program of ours asks each, in C or C++ (``programs/``)."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import SOURCES, compiled
from pkigen.matrix.line_protocol import FIELDS, ask
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, MatrixCase, Sight


@dataclass(frozen=True)
class Library:
    """One of them: its source, the compiler, what to link, or how to ask pkg-config for that."""

    name: str
    source: str
    looks_at: frozenset[Sight]
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
