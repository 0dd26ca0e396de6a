"""The options of a build, and its result."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

KeyOrigin = Literal["fresh", "pool", "unique"]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The options of ``pkigen build``.

    ``only`` is a glob on names. ``at`` is the build clock (UTC); None means now, or SEEDED_CLOCK with a
    seed. ``renew`` are the ids of entities to reissue in any case, ``delete`` those to delete if the profile
    does not contain them. ``replace_root`` permits to replace or remove a trust anchor, ``force`` also to
    replace the authorities of another profile. ``verify`` reads the digests of the shards of fleets, not only
    their sizes and times. ``destination`` is a URL for the shards, empty for the environment itself.
    ``scheduler`` is the address of a Dask scheduler whose workers build shards; ``insecure_scheduler``
    permits one on another machine without TLS. ``keys`` is the origin of new keys; all faulty cases of a
    certificate share one key, except with ``unique``.
    """

    only: str | None = None
    at: datetime | None = None
    jobs: int | None = None
    rekey: bool = False
    prune: bool = False
    seed: str | None = field(default=None, repr=False)
    keys: KeyOrigin = "fresh"
    renew: frozenset[str] = frozenset()
    delete: frozenset[str] = frozenset()
    replace_root: bool = False
    force: bool = False
    verify: bool = False
    destination: str = ""
    scheduler: str = ""
    insecure_scheduler: bool = False

    def deletes(self, entity_id: str) -> bool:
        """Return whether the build deletes an entity that is not in the profile."""
        return self.prune or entity_id in self.delete


def available_jobs() -> int:
    """Return the number of CPU cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Action(StrEnum):
    """The action of a build for one entity."""

    ISSUE = "issue"
    REISSUE = "reissue"
    REWRITE = "rewrite"
    KEEP = "keep"
    SKIP = "skip"
    LEFT = "left"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class Change:
    """The action for one entity, with the reasons.

    ``revocation`` states what happens if the certificate that is replaced is revoked; otherwise it is empty.
    """

    id: str
    action: Action
    reasons: tuple[str, ...] = ()
    new_key: bool = False
    revocation: str = ""


@dataclass(frozen=True, slots=True)
class CrlChange:
    """The CRL of one authority that is published again, with the reasons."""

    authority: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Summary:
    """The result of a build or a dry run. ``changes`` does not contain entities that are kept.

    ``in_shards`` is the number of certificates that were issued in shards of fleets.
    """

    changes: list[Change] = field(default_factory=list)
    counts: Counter[Action] = field(default_factory=Counter)
    crls: list[CrlChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    in_shards: int = 0

    def add(self, change: Change) -> None:
        """Count an action, and add it to the changes unless the entity is kept."""
        self.counts[change.action] += 1
        if change.action is not Action.KEEP:
            self.changes.append(change)

    @property
    def up_to_date(self) -> bool:
        """Whether the build changed nothing."""
        quiet = {Action.KEEP, Action.LEFT, Action.SKIP}
        return not self.crls and not any(self.counts[a] for a in Action if a not in quiet)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A finished build: the directory of the environment, what changed, the duration in seconds."""

    folder: Path
    summary: Summary
    seconds: float


class Progress(Protocol):
    """Receives the progress of a build."""

    def start(self, total: int, what: str) -> None:
        """Start a progress bar of ``total`` steps; ``what`` is the unit."""

    def advance(self, steps: int) -> None:
        """Advance by a number of steps."""

    def finish(self) -> None:
        """End the progress bar, complete or not."""
