"""``pkigen verify`` as a column beside the validators of the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pkigen import __version__
from pkigen.errors import InputError
from pkigen.inspection.path.validation import Purpose
from pkigen.inspection.path.verify import Verification, verify
from pkigen.matrix import Answer, Capability, MatrixCase


@dataclass(frozen=True)
class Verify:
    """Judges a path, its CRLs and the host name; "cannot say" counts as a rejection."""

    purpose: Purpose = "server"
    name: str = "pkigen-verify"
    looks_at: frozenset[Capability] = frozenset(("path", "host", "crl"))
    comes_with: str = "pkigen"

    def version(self) -> str:
        """Return pkigen's version."""
        return f"pkigen {__version__}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases."""
        return {case.name: self._judge(case) for case in cases}

    def _judge(self, case: MatrixCase) -> Answer:
        answer = self._verify(case)
        if answer.accepted or not case.crls:
            return answer
        without_crls = self._verify(replace(case, crls=()))
        return Answer(False, answer.words, {"path": without_crls.accepted, "crl": False})

    def _verify(self, case: MatrixCase) -> Answer:
        chain = (case.chain,) if case.chain is not None else ()
        verification = Verification(
            case.certificate,
            case.at,
            chain=chain,
            trust=case.anchors,
            crls=case.crls,
            host=case.host,
            purpose=self.purpose,
        )
        try:
            result = verify(verification).result
        except InputError as error:
            return Answer(False, f"path: {error}", {"path": False})
        if result.ok:
            return Answer(True, "", {"path": True, "crl": True if case.crls else None})
        words = "; ".join(f"{one.rule}: {one.message}" for one in result.problems)
        if result.undecided:
            words = f"cannot say: {words}"
        return Answer(False, f"path: {words}", {"path": False})
