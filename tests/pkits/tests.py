"""NIST's table of the 224 PKITS tests: numbers, titles, initial settings and verdicts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pkigen.inspection.path import PolicyOptions

_POLICY = "2.16.840.1.101.3.2.1.48."
_SETTING = re.compile(r"policy=[0-9]|explicit|no-mapping|no-any")


@dataclass(frozen=True)
class PathTest:
    """One test, or one of the subtests of a test with several initial settings."""

    number: str
    accepted: bool
    options: PolicyOptions
    title: str

    @property
    def test(self) -> str:
        """The number of the test, without that of the subtest."""
        return ".".join(self.number.split(".")[:3])


def read_tests() -> tuple[PathTest, ...]:
    """Return all tests and subtests in NIST's order."""
    lines = (Path(__file__).parent / "tests.txt").read_text("utf-8").splitlines()
    return tuple(_parse(line) for line in lines if not line.startswith("#"))


def _parse(line: str) -> PathTest:
    number, verdict, *words = line.split()
    settings = []
    while _SETTING.fullmatch(words[0]):
        settings.append(words.pop(0))
    policies = frozenset(f"{_POLICY}{setting[-1]}" for setting in settings if setting.startswith("policy="))
    options = PolicyOptions(policies, "explicit" in settings, "no-mapping" in settings, "no-any" in settings)
    return PathTest(number, verdict == "accept", options, " ".join(words))
