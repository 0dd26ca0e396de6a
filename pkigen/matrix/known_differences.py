"""``known.yaml`` and ``known_limbo.yaml``: differences from the expected verdicts, and their reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("known.yaml")
LIMBO_FILE = Path(__file__).with_name("known_limbo.yaml")
"""Reasons for cases of x509-limbo itself; ``faults`` are the IDs of cases."""
SOUND, ANY, PARTIAL_CHAIN, REQUIREMENT = "sound", "*", "partial-chain", "requirement"
"""Names in the file: cases without a fault, all cases, those with a trust anchor that is not a root, and
those of requirement sets."""


@dataclass(frozen=True)
class Known:
    """A difference for a fault in a column, with the reason in one sentence.

    ``kind`` tells a ``choice`` (documented, or what an option turns on), a ``limit`` (something that it does
    not process) and a ``bug`` (it looks like one) apart. ``versions`` is a pattern such as
    ``OpenSSL 3.0.*``, empty when the entry is of any version. ``sometimes`` says that it hangs on chance or
    on how fast the machine is: such an entry is never stale.

    With ``words``, a pattern of what the validator says, the entry is of refusals alone that say so.
    ``fault`` is a pattern, too.
    """

    fault: str
    column: str
    kind: str
    reason: str
    versions: str = ""
    sometimes: bool = False
    words: str = ""

    def is_of(self, version: str | None) -> bool:
        """Whether the entry applies to a version of its validator."""
        return not self.versions or fnmatchcase(version or "", self.versions)

    def tells(self, faults: Collection[str], words: str) -> bool:
        """Whether the entry explains a difference of a case with these names or faults."""
        named = any(fnmatchcase(fault, self.fault) for fault in faults)
        return fnmatchcase(words, self.words or "*") and named


@cache
def known_differences() -> tuple[Known, ...]:
    """Return the entries of ``known.yaml``, one per fault and column; those with ``words`` last."""
    return tuple(sorted(read_differences(FILE), key=lambda one: bool(one.words)))


@cache
def known_limbo_differences() -> tuple[Known, ...]:
    """Return the entries for x509-limbo files, those of ``known_limbo.yaml`` first."""
    return (*read_differences(LIMBO_FILE), *known_differences())


def read_differences(file: Path) -> tuple[Known, ...]:
    """Return the entries of a file in its order, one per fault and column."""
    return tuple(_entries(yaml.safe_load(file.read_bytes())))


def _entries(document: list[dict[str, Any]]) -> Iterator[Known]:
    for entry in document:
        words = entry.get("words", "")
        patterns = words if isinstance(words, list) else [words]
        for fault, column, pattern in product(entry["faults"], entry["columns"], patterns):
            sometimes = entry.get("sometimes", False) or bool(pattern)
            versions = entry.get("versions", "")
            yield Known(fault, column, entry["kind"], entry["reason"], versions, sometimes, pattern)
