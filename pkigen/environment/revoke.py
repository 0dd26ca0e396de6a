"""Revokes certificates of a built environment by command, and publishes the CRLs that list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pkigen.environment.crl.refresh import CrlRefresher, PublishedCrl
from pkigen.environment.manifest.update import has_responder, update_manifest
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.environment.source_profile import find_entities, matches_any
from pkigen.errors import InputError
from pkigen.model import Role
from pkigen.store import Revoked, ShardRow, Store

HOLD = "certificateHold"
_BY_COMMAND, _BY_PROFILE = "command", "profile"
_ADVICE = ". If the profile has 'crl: none' there, remove it, and build"
_LOCK_TIMEOUT = 10.0
"""Seconds to wait for a build or server that holds the environment's lock."""


@dataclass(frozen=True, slots=True)
class RevocationResult:
    """The entities (ids) whose revocation changed, the CRLs that were published, and notes."""

    changed: tuple[str, ...] = ()
    crls: tuple[PublishedCrl, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Target:
    """A certificate: its entity (id), the id of its issuer, its serial number.

    ``entity`` is empty for a certificate that was issued elsewhere.
    """

    entity: str
    issuer: str
    serial: int

    @property
    def label(self) -> str:
        """The entity's id, or the issuer's id and the serial number."""
        return self.entity or f"{self.issuer}/{self.serial:x}"


@dataclass
class _Changes:
    """Revocations to add and to remove, the ids of the issuers of the certificates, and notes."""

    added: list[Revoked] = field(default_factory=list)
    removed: list[Revoked] = field(default_factory=list)
    issuers: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    labels: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Selection:
    """Selects certificates by the names of their entities, or by issuer and serial number.

    ``serial`` selects one certificate, also a former one, of a single name.
    """

    names: Sequence[str]
    serial: int | None
    issued_by: str | None

    def __post_init__(self) -> None:
        if self.issued_by is None and not self.names:
            raise InputError("specify a NAME, or --issued-by AUTHORITY and --serial HEX")
        if self.issued_by is not None and (self.names or self.serial is None):
            raise InputError("--issued-by selects a certificate by --serial HEX, and without a NAME")
        if self.issued_by is None and self.serial is not None and len(self.names) != 1:
            raise InputError("--serial identifies a single certificate; specify exactly one NAME")

    def targets(self, store: Store, issuers: dict[str, CrlIssuer]) -> list[_Target]:
        """Return the selected certificates; InputError if there is none."""
        if self.issued_by is not None and self.serial is not None:
            return [
                _Target(_subject_of(store, issuer, self.serial), issuer, self.serial)
                for issuer in _find_issuers(store, self.issued_by, issuers)
            ]
        members = {name: member for name in self.names if (member := _member(store, name))}
        names = [name for name in self.names if name not in members]
        current = list(store.index.ids()) if names else []
        entities = dict.fromkeys(entity for name in names for entity in _find(store, name, current))
        return [
            _Target(entity, issuer, serial)
            for entity in entities
            for issuer, serial in self._serials(store, entity)
        ] + [self._target_in_shard(name, *member) for name, member in members.items()]

    def _target_in_shard(self, name: str, row: ShardRow, index: int) -> _Target:
        if self.serial is not None and self.serial != row.serial(index):
            raise InputError(
                f"{name} has the serial number {row.serial(index):x}; select a former certificate of a fleet "
                "with --issued-by AUTHORITY --serial HEX"
            )
        return _Target(f"{Role.CERTIFICATE}/{row.name(index)}", row.authority, row.serial(index))

    def _serials(self, store: Store, entity: str) -> Sequence[tuple[str, int]]:
        """Return (issuer id, serial) of an entity's last certificates, or of the one with ``serial``."""
        issued = store.index.serials_of(entity)
        if self.serial is not None:
            pairs = [pair for pair in issued if pair[1] == self.serial]
            if not pairs:
                raise InputError(
                    f"{entity} never had a certificate with the serial number {self.serial:x}; "
                    f"it had {_list(issued)}"
                )
            return pairs
        entry = store.index.get([entity]).get(entity)
        last = entry.serials if entry else store.index.pruned_serials(entity)
        if not last and len(issued) > 1:
            raise InputError(f"{entity} had several certificates: {_list(issued)}; select one with --serial")
        return last or issued


def revoke(
    folder: Path,
    names: Sequence[str] = (),
    *,
    reason: str = "unspecified",
    at: datetime | None = None,
    invalid_since: datetime | None = None,
    serial: int | None = None,
    issued_by: str | None = None,
    passphrases: Sequence[bytes] = (),
) -> RevocationResult:
    """Revoke the certificates of entities and publish the CRLs that list them.

    ``names`` are as for ``renew``, and also select entities that were pruned. ``at`` is the revocation date
    (default: now), ``invalid_since`` the invalidity date. ``serial`` selects one certificate, also a former
    one, of a single entity; with ``issued_by``, the name of an authority, instead of names it selects a
    certificate that may have been issued elsewhere. A certificate that is already revoked keeps its
    revocation, unless it is on hold. Raises InputError if an entity does not exist, if no CA can revoke it,
    or if no passphrase decrypts an authority's key.
    """
    now = _now()
    revocation_date = (at or now).astimezone(UTC).replace(microsecond=0)
    since = None if invalid_since is None else int(invalid_since.timestamp())

    def change(store: Store, issuers: dict[str, CrlIssuer], target: _Target, changes: _Changes) -> None:
        _check_issuer(store, target, issuers)
        changes.issuers.add(target.issuer)
        existing = store.index.revocation(target.issuer, target.serial)
        if existing is not None and (existing.reason != HOLD or reason == HOLD):
            date = f"{datetime.fromtimestamp(existing.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
            note = f"{target.label} is already revoked: {existing.reason}, since {date}"
            if existing.source == _BY_PROFILE:
                note += "; it now stays revoked if the profile no longer revokes it"
                changes.added.append(existing._replace(source=_BY_COMMAND, text=""))
            changes.notes.append(note)
            return
        changes.labels[target.label] = None
        timestamp = int(revocation_date.timestamp())
        changes.added.append(
            Revoked(target.issuer, target.serial, target.entity, reason, timestamp, _BY_COMMAND, "", since)
        )

    # A CRL must not be older than its entries.
    selection = _Selection(names, serial, issued_by)
    return _change(folder, selection, max(now, revocation_date), passphrases, change)


def unrevoke(
    folder: Path,
    names: Sequence[str] = (),
    *,
    serial: int | None = None,
    issued_by: str | None = None,
    force: bool = False,
    passphrases: Sequence[bytes] = (),
) -> RevocationResult:
    """Remove revocations that were made by command: a hold, or with ``force`` any other.

    The arguments are those of ``revoke``. Former certificates stay revoked unless ``serial`` selects one.
    Raises InputError as ``revoke``, for a certificate that is not on hold (RFC 5280, section 5.3.1), and for
    one that the profile revokes.
    """

    def change(store: Store, issuers: dict[str, CrlIssuer], target: _Target, changes: _Changes) -> None:
        recorded = store.index.revocations_of(target.entity)
        certificate = target.issuer, target.serial
        revocations = [one for one in recorded if (one.issuer_id, one.serial) == certificate]
        if not revocations:
            former = [(one.issuer_id, one.serial) for one in recorded] if target.entity else []
            hint = f"; revoked before: {_list(former)} (select one with --serial)" if former else ""
            changes.notes.append(f"{target.label} is not revoked{hint}")
        entry = store.index.get([target.entity]).get(target.entity)
        shard = _member(store, target.entity.partition("/")[2])
        is_current = (entry is not None and certificate in entry.serials) or (
            shard is not None and certificate == (shard[0].authority, shard[0].serial(shard[1]))
        )
        for revoked in revocations:
            if revoked.source == _BY_PROFILE and is_current:
                raise InputError(f"{target.label} is revoked in the profile; remove it there, and build")
            if revoked.reason != HOLD and not force:
                message = f"{target.label} was revoked for {revoked.reason}; only {HOLD} can be lifted"
                raise InputError(f"{message} (use --force to override)")
            changes.issuers.add(revoked.issuer_id)
            changes.removed.append(revoked)
            changes.labels[target.label] = None

    return _change(folder, _Selection(names, serial, issued_by), _now(), passphrases, change)


def refresh_crl(
    folder: Path,
    names: Sequence[str] = (),
    *,
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> RevocationResult:
    """Publish the CRLs of some authorities again; by default of all that publish one.

    ``at`` is their this_update (default: now). The new complete CRL becomes the base of a delta CRL. Raises
    InputError as ``revoke``.
    """
    clock = (at or _now()).astimezone(UTC).replace(microsecond=0)
    with _locked(folder) as store:
        refresher = CrlRefresher(store, clock, passphrases)
        issuers = _selected(store, refresher.issuers, names)
        refresher.open(issuers)
        crls = (refresher.publish(issuer, reason="requested by command") for issuer in issuers)
        published = tuple(crl for crl in crls if crl is not None)
        update_manifest(store, refresher.issuers, ())
        return RevocationResult((), published, tuple(store.notes))


def _change(
    folder: Path,
    selection: _Selection,
    clock: datetime,
    passphrases: Sequence[bytes],
    change: Callable[[Store, dict[str, CrlIssuer], _Target, _Changes], None],
) -> RevocationResult:
    """Record the changes of each certificate and publish the affected CRLs; nothing if one of them raises."""
    with _locked(folder) as store:
        refresher = CrlRefresher(store, clock, passphrases)
        changes = _Changes()
        for target in selection.targets(store, refresher.issuers):
            change(store, refresher.issuers, target, changes)
        affected = refresher.affected(sorted(changes.issuers))
        if changes.added or changes.removed:
            refresher.open(affected)
        store.index.clear_revocations(changes.removed)
        store.index.set_revocations(changes.added)
        # Without changes as well: a command that was killed may have recorded and not published them.
        published = tuple(crl for crl in map(refresher.publish, affected) if crl is not None)
        entities = {one.entity_id for one in (*changes.added, *changes.removed)}
        update_manifest(store, refresher.issuers, entities)
        return RevocationResult(tuple(changes.labels), published, (*changes.notes, *store.notes))


@contextmanager
def _locked(folder: Path) -> Iterator[Store]:
    """Open an existing environment for writing, and wait for a build or server that writes to it."""
    if not Store.exists(folder):
        raise InputError(f"{folder} is not a built environment")
    with Store.open(folder, write=True, patience=_LOCK_TIMEOUT) as store:
        yield store


def _find(store: Store, name: str, current: Sequence[str]) -> list[str]:
    """Return the entities with a name, or else those that had it and were pruned."""
    if matches_any(name, current):
        return find_entities(name, current)
    return find_entities(name, [*current, *store.index.ids_ever_issued()])


def _member(store: Store, name: str) -> tuple[ShardRow, int] | None:
    """Return the shard and the number of the certificate of a fleet with a name, unless an entity has it."""
    return store.index.shards.of_name(name.removeprefix(f"{Role.CERTIFICATE}/"))


def _subject_of(store: Store, issuer: str, serial: int) -> str:
    """Return the id of the entity that an authority issued a serial number to, or ""."""
    member = store.index.shards.of_serial(issuer, serial)
    if member is not None:
        return f"{Role.CERTIFICATE}/{member[0].name(member[1])}"
    return store.index.subject_of(issuer, serial) or ""


def _find_issuers(store: Store, name: str, issuers: dict[str, CrlIssuer]) -> list[str]:
    authorities = [entity for entity in store.index.ids() if entity.startswith(f"{Role.AUTHORITY}/")]
    named = find_entities(name, authorities)
    if missing := [authority for authority in named if authority not in issuers]:
        raise InputError(f"{missing[0]} publishes no CRL, so it cannot revoke certificates{_ADVICE}")
    return named


def _list(serials: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{serial:x}" for _, serial in serials) or "none"


def _check_issuer(store: Store, target: _Target, issuers: dict[str, CrlIssuer]) -> None:
    if target.issuer == target.entity and target.entity.startswith(f"{Role.CERTIFICATE}/"):
        raise InputError(f"{target.label} is self-signed; no CA can revoke it")
    if target.issuer not in issuers and not has_responder(store, target.issuer):
        message = f"{target.label} cannot be revoked: its issuer, {target.issuer}, publishes no CRL"
        raise InputError(f"{message}{_ADVICE}")


def _selected(store: Store, issuers: dict[str, CrlIssuer], names: Sequence[str]) -> list[CrlIssuer]:
    if not names:
        return list(issuers.values())
    return [issuers[entity] for name in names for entity in _find_issuers(store, name, issuers)]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
