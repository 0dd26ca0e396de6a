"""Plan against index and disk: each entity with what is to be done with it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from pkigen.environment.build.options import Action, Change
from pkigen.environment.build.reissue_reasons import ReissueDecider
from pkigen.model import Entity
from pkigen.plan import Plan
from pkigen.store import Entry, Store

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Decision:
    """An entity, what the index knows of it, what is to be done, how its files are written."""

    entity: Entity
    entry: Entry | None
    change: Change
    output: str


class PlanDiff:
    """Goes through a plan, issuers first. Without a store everything is new."""

    def __init__(self, plan: Plan, store: Store | None, decider: ReissueDecider, salt: bytes) -> None:
        self._plan = plan
        self._store = store
        self._decider = decider
        self._salt = salt
        self.seen: dict[str, None] = {}

    def authorities(self) -> list[Decision]:
        """All authorities, decided."""
        return list(self._decided(self._plan.authorities))

    def certificates(self) -> Iterator[Decision]:
        """The end entities one by one, decided as they are asked for."""
        return self._decided(self._plan.certificates())

    def left(self) -> Iterator[Entry]:
        """What stands in the index and no longer in the profile, once all has been gone through."""
        for entry in self._store.index.entries() if self._store else ():
            if entry.id not in self.seen:
                yield entry

    def _decided(self, entities: Iterable[Entity]) -> Iterator[Decision]:
        remaining = iter(entities)
        while chunk := list(islice(remaining, _CHUNK)):
            entries = self._store.index.get([entity.id for entity in chunk]) if self._store else {}
            for entity in chunk:
                self.seen[entity.id] = None
                entry = entries.get(entity.id)
                output = output_digest(entity, self._salt)
                damage = self._store.damage(entry) if self._store and entry else ()
                change = self._decider.decide(entity, entry, damage, output)
                yield Decision(entity, entry, change, output)


def output_digest(entity: Entity, salt: bytes) -> str:
    """A digest of how an entity's files are written; passphrases go in under a secret salt."""
    output = entity.output
    alias = None if output.alias == entity.name else output.alias
    secrets = output.passphrase, output.pkcs12_passphrase
    return _digest(salt, output.formats, output.key_format, alias, secrets)


@lru_cache(maxsize=64)
def _digest(salt: bytes, *parts: object) -> str:
    """Most entities of an environment are written alike."""
    text = repr(parts)
    return hmac.digest(salt, text.encode(), hashlib.sha256).hex()[:32]


def writes_files(change: Change) -> bool:
    """Whether a change makes files."""
    return change.action in (Action.ISSUE, Action.REISSUE, Action.REWRITE)
