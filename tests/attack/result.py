"""What an attack finds, and the figures that it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Finding(NamedTuple):
    """The number of an input or event that the seed repeats, and what went wrong."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one part of the attack."""

    part: str
    seed: int
    count: int
    seconds: float
    findings: tuple[Finding, ...]
