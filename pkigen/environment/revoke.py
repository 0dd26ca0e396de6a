"""Revocations by command, of an environment that is built: on record, and published when they return."""

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
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class RevocationResult:
    """What a command did: the entities whose revocation changed, by id; the CRLs published; notes."""

    changed: tuple[str, ...] = ()
    crls: tuple[PublishedCrl, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Changes:
    """What is to be recorded and taken back, of whose certificates, and what is to be said of it."""

    added: list[Revoked] = field(default_factory=list)
    taken_back: list[Revoked] = field(default_factory=list)
    concerned: set[str] = field(default_factory=set)
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
    """Revoke the certificates of entities, and publish the CRLs that say so.

    ``names`` are as ``renew`` takes them. ``at`` is the revocation's instant (now if not said),
    ``invalid_since`` its invalidity date. ``serial`` is one former certificate of the one entity named.
    A certificate that is revoked stays so as it was, unless it is on hold. InputError when there is no
    such entity, when nobody could revoke it, or when an authority's key does not open.
    """
    now = _now()
    instant = (at or now).astimezone(UTC).replace(microsecond=0)
    since = None if invalid_since is None else int(invalid_since.timestamp())

    def change(store: Store, issuers: dict[str, CrlIssuer], entity: str, changes: _Changes) -> None:
        for issuer, number in _serials(store, entity, serial):
            _check_issuer(entity, issuer, issuers)
            changes.concerned.add(issuer)
            held = store.index.revocation(issuer, number)
            if held is not None and (held.reason != HOLD or reason == HOLD):
                when = f"{datetime.fromtimestamp(held.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
                changes.notes.append(f"{entity} is revoked already: {held.reason}, since {when}")
                continue
            stamp = int(instant.timestamp())
            changes.added.append(Revoked(issuer, number, entity, reason, stamp, _BY_COMMAND, "", since))

    if serial is not None and len(names) != 1:
        raise InputError("a serial number is of one certificate: name just the one")
    # A CRL cannot have been issued before what it lists.
    return _changed(folder, names, max(now, instant), passphrases, change)


def unrevoke(
    folder: Path, names: Sequence[str], *, force: bool = False, passphrases: Sequence[bytes] = ()
) -> RevocationResult:
    """Take revocations back that were made by command: a hold, or with ``force`` any other.

    InputError as ``revoke``, and for what is not on hold (RFC 5280, 5.3.1), or what the profile revokes.
    """

    def change(store: Store, issuers: dict[str, CrlIssuer], entity: str, changes: _Changes) -> None:
        held = store.index.revocations_of(entity)
        if not held:
            changes.notes.append(f"{entity} is not revoked")
        for found in held:
            if found.source == _BY_PROFILE:
                raise InputError(f"{entity}: the profile revokes it; take it out there, and build")
            if found.reason != HOLD and not force:
                words = f"it is revoked for {found.reason}, and no CA takes back more than a hold"
                raise InputError(f"{entity}: {words}; --force does")
            changes.concerned.add(found.issuer_id)
            changes.taken_back.append(found)

    return _changed(folder, names, _now(), passphrases, change)


def refresh_crl(
    folder: Path,
    names: Sequence[str] = (),
    *,
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> RevocationResult:
    """Publish the CRLs of some authorities anew, of all that have one if none is named.

    ``at`` is their this_update (now if not said). A delta CRL begins anew, from the CRL of now. InputError
    as ``revoke``.
    """
    clock = (at or _now()).astimezone(UTC).replace(microsecond=0)
    with _writing(folder) as store:
        republisher = CrlRefresher(store, clock, passphrases)
        issuers = _wanted(republisher.issuers, names)
        republisher.open(issuers)
        done = tuple(filter(None, (republisher.publish(issuer, why="asked for") for issuer in issuers)))
        update_manifest(store, republisher.issuers, ())
        return RevocationResult((), done, tuple(store.notes))


def _changed(
    folder: Path,
    names: Sequence[str],
    clock: datetime,
    passphrases: Sequence[bytes],
    change: Callable[[Store, dict[str, CrlIssuer], str, _Changes], None],
) -> RevocationResult:
    """Record what ``change`` says of each entity, and publish what follows: all of it, or nothing."""
    with _writing(folder) as store:
        republisher = CrlRefresher(store, clock, passphrases)
        known, changes = list(store.index.ids()), _Changes()
        for entity in dict.fromkeys(found for name in names for found in find_entities(name, known)):
            change(store, republisher.issuers, entity, changes)
        affected = republisher.affected(sorted(changes.concerned))
        if changes.added or changes.taken_back:
            republisher.open(affected)
        store.index.clear_revocations(changes.taken_back)
        store.index.set_revocations(changes.added)
        # What a killed command has recorded and not published is due as well.
        done = tuple(filter(None, map(republisher.publish, affected)))
        entities = dict.fromkeys(found.entity_id for found in (*changes.added, *changes.taken_back))
        update_manifest(store, republisher.issuers, tuple(entities))
        return RevocationResult(tuple(entities), done, (*changes.notes, *store.notes))


@contextmanager
def _writing(folder: Path) -> Iterator[Store]:
    """An environment that is there, for writing; a build or a server at work is waited for a while."""
    if not Store.exists(folder):
        raise InputError(f"{folder} is not a built environment")
    with Store.open(folder, write=True, patience=_PATIENCE) as store:
        yield store


def _serials(store: Store, entity: str, serial: int | None) -> list[tuple[str, int]]:
    """(issuer id, serial) of the certificates that are meant."""
    if serial is None:
        return list(store.index.get([entity])[entity].serials)
    found = [pair for pair in store.index.serials_of(entity) if pair[1] == serial]
    if not found:
        raise InputError(f"{entity} never had a certificate with the serial number {serial:x}")
    return found


def _check_issuer(entity: str, issuer: str, issuers: dict[str, CrlIssuer]) -> None:
    if issuer == entity and entity.startswith(f"{Role.CERTIFICATE}/"):
        raise InputError(f"{entity} is self-signed, and so on nobody's CRL: nobody can revoke it")
    if issuer not in issuers:
        raise InputError(f"{entity}: its issuer, {issuer}, publishes no CRL that could list it")


def _wanted(issuers: dict[str, CrlIssuer], names: Sequence[str]) -> list[CrlIssuer]:
    if not names:
        return list(issuers.values())
    return [issuers[found] for name in names for found in find_entities(name, list(issuers))]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
