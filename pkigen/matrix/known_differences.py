"""``known.yaml``: differences from the expected verdicts, and their reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("known.yaml")
SOUND, ANY, PARTIAL_CHAIN = "sound", "*", "partial-chain"
"""Names in the file: cases without a fault, all cases, and cases with a trust anchor that is not a root."""


@dataclass(frozen=True)
class Known:
    """A difference for a fault in a column, with the reason in one sentence.

    ``kind`` tells a ``choice`` (documented, or what an option turns on), a ``limit`` (something that it does
    not process) and a ``bug`` (it looks like one) apart. ``versions`` is a pattern such as
    ``OpenSSL 3.0.*``, empty when the entry is of any version. ``sometimes`` says that it hangs on chance or
    on how fast the machine is: such an entry is never stale.

    With ``words``, a pattern of what the validator says, the entry is of refusals alone that say so; its
    fault may be ``*``, for any.
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
        return fnmatchcase(words, self.words or "*") and self.fault in (*faults, ANY)


@cache
def known_differences() -> tuple[Known, ...]:
    """Return the entries of the file, one per fault and column; those with ``words`` last."""
    return tuple(sorted(_entries(yaml.safe_load(FILE.read_bytes())), key=lambda one: bool(one.words)))


def _entries(document: list[dict[str, Any]]) -> Iterator[Known]:
    for entry in document:
        for fault in entry["faults"]:
            for column in entry["columns"]:
                yield Known(
                    fault,
                    column,
                    entry["kind"],
                    entry["reason"],
                    entry.get("versions", ""),
                    entry.get("sometimes", False) or "words" in entry,
                    entry.get("words", ""),
                )
