"""Compares a plan with the index and the files: what to do with each entity."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from pkigen.environment.build.options import Action, Change
from pkigen.environment.build.reissue_reasons import ReissueDecider
from pkigen.model import STANDARD_FILES, Entity
from pkigen.plan import Plan
from pkigen.store import Entry, Store

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with an entity; ``entry`` is its state in the index, ``output`` its ``output_digest``."""

    entity: Entity
    entry: Entry | None
    change: Change
    output: str


class PlanDiff:
    """Decides for every entity of a plan, issuers first. Without a store every entity is new.

    ``seen`` are the ids of the entities decided so far, in order.
    """

    def __init__(self, plan: Plan, store: Store | None, decider: ReissueDecider, salt: bytes) -> None:
        self._plan = plan
        self._store = store
        self._decider = decider
        self._salt = salt
        self.seen: dict[str, None] = {}

    def authorities(self) -> list[Decision]:
        """Return the decisions for all authorities."""
        return list(self._decisions(self._plan.authorities))

    def certificates(self) -> Iterator[Decision]:
        """Return the decisions for the end entities one by one, each computed on demand."""
        return self._decisions(self._plan.certificates())

    def removed(self) -> Iterator[Entry]:
        """Return the entries of the index that are not in the plan; only after both iterations above.

        Certificates that devices requested are not among them.
        """
        if self._store is None:
            return
        index = self._store.index
        enrolled = index.enrolled.ids()
        for entity_id in [one for one in index.ids() if one not in self.seen and one not in enrolled]:
            yield index.entry(entity_id)

    def _decisions(self, entities: Iterable[Entity]) -> Iterator[Decision]:
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
    """Return a digest of how an entity's files are written; a secret salt protects the passphrases."""
    output = entity.output
    alias = None if output.alias == entity.name else output.alias
    passphrases = output.passphrase, output.pkcs12_passphrase
    # The digests of environments from before the key `files` stay the same.
    others = () if entity.fault or output.files == STANDARD_FILES else (output.files,)
    return _digest(salt, output.formats, output.key_format, alias, passphrases, *others)


@lru_cache(maxsize=64)
def _digest(salt: bytes, *parts: object) -> str:
    """Cached, since most entities of an environment have the same output."""
    text = repr(parts)
    return hmac.digest(salt, text.encode(), hashlib.sha256).hex()[:32]


def writes_files(change: Change) -> bool:
    """Return whether a change writes the entity's files."""
    return change.action in (Action.ISSUE, Action.REISSUE, Action.REWRITE)
