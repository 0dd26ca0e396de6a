"""Decides what a recorded revocation of a certificate means for the certificate that replaces it.

The reason code decides. After a compromise the new certificate gets a new key and is valid. A superseded
certificate is replaced by a valid one. For every other reason, the new certificate is revoked as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pkigen.model import Entity
from pkigen.store import Entry, Revoked, Store

COMPROMISES = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
_VALID_WHEN_REISSUED = COMPROMISES | {"superseded"}


@dataclass(slots=True)
class EarlierRevocations:
    """The recorded revocations of an environment; without a store there are none.

    ``revoked`` are the ids of the entities with a revocation, so that all others cost one lookup.
    """

    store: Store | None
    revoked: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.revoked = self.store.index.revoked_entities() if self.store else set()

    def replaced(self, entity: Entity, entry: Entry | None) -> list[Revoked]:
        """Return the revocations of the certificates that a new certificate of ``entity`` replaces.

        ``entry`` is the entity's state in the index; without it, the last state before it was pruned counts.
        If the profile revokes the entity, only revocations by command count: the others follow the profile.
        """
        if entity.id not in self.revoked:
            return []
        assert self.store is not None
        serials = entry.serials if entry else self.store.index.pruned_serials(entity.id)
        revocations = {(one.issuer_id, one.serial): one for one in self._recorded(entity)}
        return [revocations[pair] for pair in serials if pair in revocations]

    def carried(self, entity: Entity, entry: Entry | None) -> list[Revoked]:
        """Return the revocations to record for the new certificates of ``entity``."""
        replaced = [one for one in self.replaced(entity, entry) if stays_revoked(one)]
        by_issuer = {one.issuer_id: one for one in replaced}
        issuers = {plan.issuer_id for plan in entity.certificates}
        # If an issuer changed, the first revocation of a former issuer applies.
        former = next((one for one in replaced if one.issuer_id not in issuers), None)
        pairs = ((plan, by_issuer.get(plan.issuer_id) or former) for plan in entity.certificates)
        return [
            revoked._replace(issuer_id=plan.issuer_id, serial=plan.serial)
            for plan, revoked in pairs
            if revoked
        ]

    def key_number(self, entity: Entity) -> int:
        """Return how many certificates of an entity were revoked because of a compromise.

        With a seed, the entity's next key derives from this number, so that no compromised key returns.
        """
        if entity.id not in self.revoked:
            return 0
        compromised = (one for one in self._recorded(entity) if one.reason in COMPROMISES)
        return len({(one.issuer_id, one.serial) for one in compromised})

    def _recorded(self, entity: Entity) -> Iterator[Revoked]:
        """Return the revocations that the profile does not contain, those by command last."""
        assert self.store is not None
        for revoked in reversed(self.store.index.revocations_of(entity.id)):
            if revoked.source == "command" or entity.revocation is None:
                yield revoked


def stays_revoked(revoked: Revoked) -> bool:
    """Return whether a new certificate is revoked like the one that it replaces.

    A revocation by the profile ends when the profile no longer contains it.
    """
    return revoked.reason not in _VALID_WHEN_REISSUED and revoked.source == "command"


def describe(entity: Entity, replaced: list[Revoked]) -> str:
    """Return what happens when a certificate with these revocations is reissued.

    Returns an empty string if neither a command nor the profile revoked it.
    """
    status = (
        "the profile revokes the new certificate" if entity.revocation else "the new certificate is valid"
    )
    if not replaced:
        return f"revoked in the profile: {status}" if entity.revocation else ""
    compromise = next((one.reason for one in replaced if one.reason in COMPROMISES), None)
    if compromise is not None:
        return f"revoked for {compromise}: new key, and {status}"
    revoked = next(filter(stays_revoked, replaced), None)
    if revoked is None:
        return f"revoked for {replaced[0].reason}: {status}"
    date = f"{datetime.fromtimestamp(revoked.at, UTC):%Y-%m-%d}"
    return f"revoked for {revoked.reason} since {date}: the new certificate is too, until `pkigen unrevoke`"
