"""Erlang/OTP: the applications ssl and public_key, run through an escript."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import SOURCES
from pkigen.matrix.fake_time import at_time
from pkigen.matrix.line_protocol import FIELDS, ask
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_PROGRAM = SOURCES / "erlang.escript"
_CLOCKS = {"DONT_FAKE_MONOTONIC": "1", "ERL_FLAGS": "+C multi_time_warp +c false"}
"""The timers of the virtual machine advance while its calendar does not."""


class Erlang:
    """A TLS 1.2 client with the host name check for HTTPS; every certificate of a path needs a CRL.

    It takes the time from the system: where faketime is installed, that is the time of the case.
    """

    name = "erlang"
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "crl"))
    comes_with = "erlang-base, erlang-ssl and faketime"

    def version(self) -> str | None:
        """``Erlang/OTP 25, ssl 10.8.7, public_key 1.13.2``; None when it is not installed."""
        try:
            return run(*self._command(), "--version").out.strip() or None
        except EnvironmentFailure:
            return None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases; EnvironmentFailure if escript is missing."""
        by_time = defaultdict(list)
        for case in cases:
            by_time[case.at].append(case)
        answers: dict[str, Answer] = {}
        for at, some in by_time.items():
            environ = {**_CLOCKS, **at_time(at)}
            answers |= ask(self._command(), some, FIELDS, environ=environ)
        return answers

    def _command(self) -> list[str]:
        escript = shutil.which("escript")
        if escript is None:
            raise EnvironmentFailure(f"the {self.name} column of the matrix needs {self.comes_with}")
        return [escript, str(_PROGRAM)]


ERLANG = register(Erlang())
