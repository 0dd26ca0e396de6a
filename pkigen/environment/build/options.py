"""What can be asked of a build, and what it says of itself."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

KeyOrigin = Literal["fresh", "pool"]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The flags of ``pkigen build``.

    ``only`` is a glob on names. ``at`` is the build's clock (UTC); None is now, or SEEDED_CLOCK in
    a seeded build. ``renew`` names entities by id that are issued anew whatever their state.
    """

    only: str | None = None
    at: datetime | None = None
    jobs: int | None = None
    rekey: bool = False
    prune: bool = False
    seed: str | None = field(default=None, repr=False)
    keys: KeyOrigin = "fresh"
    renew: frozenset[str] = frozenset()


def available_jobs() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Action(StrEnum):
    """What a build does with one entity."""

    ISSUE = "issue"
    REISSUE = "reissue"
    REWRITE = "rewrite"
    KEEP = "keep"
    SKIP = "skip"
    LEFT = "left"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class Change:
    """One entity, what is done with it, why, and whether its key is a new one."""

    id: str
    action: Action
    reasons: tuple[str, ...] = ()
    new_key: bool = False


@dataclass(frozen=True, slots=True)
class CrlChange:
    """One authority's CRL that is published anew, and why."""

    authority: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Summary:
    """What happened, or would: changes (all but those that keep), counts of every action."""

    changes: list[Change] = field(default_factory=list)
    counts: Counter[Action] = field(default_factory=Counter)
    crls: list[CrlChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Count a change, and keep it if it is one."""
        self.counts[change.action] += 1
        if change.action is not Action.KEEP:
            self.changes.append(change)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing was left to do."""
        quiet = {Action.KEEP, Action.LEFT, Action.SKIP}
        return not self.crls and not any(self.counts[a] for a in Action if a not in quiet)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A finished build: the environment's folder and what was done."""

    folder: Path
    summary: Summary
    seconds: float


class Progress(Protocol):
    """Where a build tells how far it is."""

    def start(self, total: int, what: str) -> None:
        """``total`` steps of ``what`` begin."""

    def advance(self, steps: int) -> None:
        """So many steps more are done."""

    def finish(self) -> None:
        """The steps have ended, done or not."""
