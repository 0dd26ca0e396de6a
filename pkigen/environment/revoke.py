"""Revokes certificates of a built environment by command, and publishes the CRLs that list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pkigen.environment.crl.refresh import CrlRefresher, PublishedCrl
from pkigen.environment.manifest.update import update_manifest
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.environment.source_profile import find_entities
from pkigen.errors import InputError
from pkigen.model import Role
from pkigen.store import Revoked, Store

HOLD = "certificateHold"
_BY_COMMAND, _BY_PROFILE = "command", "profile"
_LOCK_TIMEOUT = 10.0
"""Seconds to wait for a build or server that holds the environment's lock."""


@dataclass(frozen=True, slots=True)
class RevocationResult:
    """The entities (ids) whose revocation changed, the CRLs that were published, and notes."""

    changed: tuple[str, ...] = ()
    crls: tuple[PublishedCrl, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Changes:
    """Revocations to add and to remove, the ids of the issuers of the certificates, and notes."""

    added: list[Revoked] = field(default_factory=list)
    removed: list[Revoked] = field(default_factory=list)
    issuers: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def revoke(
    folder: Path,
    names: Sequence[str],
    *,
    reason: str = "unspecified",
    at: datetime | None = None,
    invalid_since: datetime | None = None,
    serial: int | None = None,
    passphrases: Sequence[bytes] = (),
) -> RevocationResult:
    """Revoke the certificates of entities and publish the CRLs that list them.

    ``names`` are as for ``renew``. ``at`` is the revocation date (default: now), ``invalid_since`` the
    invalidity date. ``serial`` selects one certificate, also a former one, of a single entity. A certificate
    that is already revoked keeps its revocation, unless it is on hold. Raises InputError if an entity does
    not exist, if no CA can revoke it, or if no passphrase decrypts an authority's key.
    """
    now = _now()
    revocation_date = (at or now).astimezone(UTC).replace(microsecond=0)
    since = None if invalid_since is None else int(invalid_since.timestamp())

    def change(store: Store, issuers: dict[str, CrlIssuer], entity: str, changes: _Changes) -> None:
        for issuer, number in _serials(store, entity, serial):
            _check_issuer(entity, issuer, issuers)
            changes.issuers.add(issuer)
            existing = store.index.revocation(issuer, number)
            if existing is not None and (existing.reason != HOLD or reason == HOLD):
                date = f"{datetime.fromtimestamp(existing.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
                changes.notes.append(f"{entity} is already revoked: {existing.reason}, since {date}")
                continue
            timestamp = int(revocation_date.timestamp())
            changes.added.append(Revoked(issuer, number, entity, reason, timestamp, _BY_COMMAND, "", since))

    if serial is not None and len(names) != 1:
        raise InputError("--serial identifies a single certificate; specify exactly one NAME")
    # A CRL must not be older than its entries.
    return _change(folder, names, max(now, revocation_date), passphrases, change)


def unrevoke(
    folder: Path, names: Sequence[str], *, force: bool = False, passphrases: Sequence[bytes] = ()
) -> RevocationResult:
    """Remove revocations that were made by command: a hold, or with ``force`` any other.

    Raises InputError as ``revoke``, for a certificate that is not on hold (RFC 5280, section 5.3.1), and for
    one that the profile revokes.
    """

    def change(store: Store, issuers: dict[str, CrlIssuer], entity: str, changes: _Changes) -> None:
        revocations = store.index.revocations_of(entity)
        if not revocations:
            changes.notes.append(f"{entity} is not revoked")
        for revoked in revocations:
            if revoked.source == _BY_PROFILE:
                raise InputError(f"{entity} is revoked in the profile; remove it there, and build")
            if revoked.reason != HOLD and not force:
                message = f"{entity} was revoked for {revoked.reason}; only {HOLD} can be lifted"
                raise InputError(f"{message} (use --force to override)")
            changes.issuers.add(revoked.issuer_id)
            changes.removed.append(revoked)

    return _change(folder, names, _now(), passphrases, change)


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
        issuers = _selected(refresher.issuers, names)
        refresher.open(issuers)
        crls = (refresher.publish(issuer, reason="requested by command") for issuer in issuers)
        published = tuple(crl for crl in crls if crl is not None)
        update_manifest(store, refresher.issuers, ())
        return RevocationResult((), published, tuple(store.notes))


def _change(
    folder: Path,
    names: Sequence[str],
    clock: datetime,
    passphrases: Sequence[bytes],
    change: Callable[[Store, dict[str, CrlIssuer], str, _Changes], None],
) -> RevocationResult:
    """Record the changes of each entity and publish the affected CRLs; nothing if one of them raises."""
    with _locked(folder) as store:
        refresher = CrlRefresher(store, clock, passphrases)
        known, changes = list(store.index.ids()), _Changes()
        for entity in dict.fromkeys(one for name in names for one in find_entities(name, known)):
            change(store, refresher.issuers, entity, changes)
        affected = refresher.affected(sorted(changes.issuers))
        if changes.added or changes.removed:
            refresher.open(affected)
        store.index.clear_revocations(changes.removed)
        store.index.set_revocations(changes.added)
        # Without changes as well: a command that was killed may have recorded and not published them.
        published = tuple(crl for crl in map(refresher.publish, affected) if crl is not None)
        entities = dict.fromkeys(one.entity_id for one in (*changes.added, *changes.removed))
        update_manifest(store, refresher.issuers, tuple(entities))
        return RevocationResult(tuple(entities), published, (*changes.notes, *store.notes))


@contextmanager
def _locked(folder: Path) -> Iterator[Store]:
    """Open an existing environment for writing, and wait for a build or server that writes to it."""
    if not Store.exists(folder):
        raise InputError(f"{folder} is not a built environment")
    with Store.open(folder, write=True, patience=_LOCK_TIMEOUT) as store:
        yield store


def _serials(store: Store, entity: str, serial: int | None) -> list[tuple[str, int]]:
    """Return (issuer id, serial) of an entity's current certificates, or of the one with ``serial``."""
    if serial is None:
        return list(store.index.get([entity])[entity].serials)
    pairs = [pair for pair in store.index.serials_of(entity) if pair[1] == serial]
    if not pairs:
        raise InputError(f"{entity} never had a certificate with the serial number {serial:x}")
    return pairs


def _check_issuer(entity: str, issuer: str, issuers: dict[str, CrlIssuer]) -> None:
    if issuer == entity and entity.startswith(f"{Role.CERTIFICATE}/"):
        raise InputError(f"{entity} is self-signed; no CA can revoke it")
    if issuer not in issuers:
        raise InputError(f"{entity} cannot be revoked: its issuer, {issuer}, publishes no CRL")


def _selected(issuers: dict[str, CrlIssuer], names: Sequence[str]) -> list[CrlIssuer]:
    if not names:
        return list(issuers.values())
    return [issuers[entity] for name in names for entity in find_entities(name, list(issuers))]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
