"""What an attack finds, and the figures that it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """The number of an input or kill, which repeats it with the seed, and what went wrong."""

    number: int
    problem: str


class Outcome(NamedTuple):
    """The outcome of one or more inputs."""

    inputs: int = 1
    findings: tuple[Finding, ...] = ()


def outcome(number: int, problem: str) -> Outcome:
    """Return the outcome of one input; ``problem`` is empty if there is none."""
    return Outcome(1, (Finding(number, problem),) if problem else ())


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one part of the attack; ``skipped`` is the reason if it could not run."""

    part: str
    seed: int
    count: int
    seconds: float
    findings: tuple[Finding, ...]
    skipped: str = ""

    def line(self) -> str:
        """Return the figures for people."""
        if self.skipped:
            return f"{self.part:12} skipped: {self.skipped}"
        return f"{self.part:12} {self.count:>9,} in {self.seconds:,.0f} s, {len(self.findings)} findings"

    def record(self) -> dict[str, Any]:
        """Return the figures for a file."""
        return {
            "part": self.part, "seed": self.seed, "count": self.count, "seconds": round(self.seconds),
            "findings": len(self.findings),
        }  # fmt: skip
