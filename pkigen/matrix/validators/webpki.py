"""rustls-webpki, as qh3 has it: the validator of rustls, in a process of its own."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from pkigen.matrix.fake_time import at_time
from pkigen.matrix.line_protocol import ask
from pkigen.matrix.registry import register
from pkigen.matrix.validator import Answer, Capability, MatrixCase


class Webpki:
    """It is given DER, and says no reason. It does not look at CRLs.

    It takes the time from the system: where faketime is installed, that is the time of the case.
    """

    name = "webpki"
    looks_at: frozenset[Capability] = frozenset(("path", "host"))
    comes_with = "qh3 (PyPI) and faketime"

    def version(self) -> str | None:
        """``rustls-webpki of qh3 2.1.0``; None when qh3 is not installed."""
        try:
            return f"rustls-webpki of qh3 {version('qh3')}"
        except PackageNotFoundError:
            return None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases."""
        together = defaultdict(list)
        for case in cases:
            together[case.at].append(case)
        answers: dict[str, Answer] = {}
        for at, some in together.items():
            answers |= ask(
                (sys.executable, "-m", "pkigen.matrix.validators._webpki_worker"), some, environ=at_time(at)
            )
        return answers


WEBPKI = register(Webpki())
