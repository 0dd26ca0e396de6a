"""Selects the revocations that each CRL of an authority lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from pkigen.environment.published.publishers import CrlIssuer
from pkigen.environment.published.stored_keys import first_certificate
from pkigen.model import CrlPart, Entity, Extension
from pkigen.plan.crl_distribution import partition_of
from pkigen.revocation import RevokedCertificate
from pkigen.revocation.crl import certificate_issuer, invalidity_date
from pkigen.store import Revoked, Store
from pkigen.x509 import Certificate, CertificateList


def revocation_changes(
    entity: Entity, serials: Iterable[tuple[str, int]], recorded: Iterable[Revoked]
) -> tuple[list[Revoked], list[Revoked]]:
    """Compare an entity's revocation in the profile with the recorded ones; return added and removed.

    ``serials`` are (issuer id, serial) of its current certificates. Revocations of former certificates stay,
    and those made by command.
    """
    current = set(serials)
    by_profile = {(one.issuer_id, one.serial): one for one in recorded if one.source == "profile"}
    planned = entity.revocation
    if planned is None:
        return [], [one for pair, one in by_profile.items() if pair in current]
    added = []
    for issuer, serial in sorted(current):
        existing = by_profile.get((issuer, serial))
        if existing is None or (existing.reason, existing.text) != (planned.reason, planned.text):
            at = int(planned.at.timestamp())
            since = None if planned.invalid_since is None else int(planned.invalid_since.timestamp())
            added.append(
                Revoked(issuer, serial, entity.id, planned.reason, at, "profile", planned.text, since)
            )
    return added, []


def listed_revocations(store: Store, issuer: CrlIssuer, others: Iterable[CrlIssuer]) -> Iterator[Revoked]:
    """Return all revocations that an authority's CRLs list, including those of its indirect CRL."""
    for authority in (issuer, *_delegating(issuer, others)):
        yield from _unique(store.index.revocations(authority.id))


def _unique(revocations: Iterable[Revoked]) -> Iterator[Revoked]:
    """Drop duplicate serials; a command's revocation sorts before the profile's and wins."""
    last = None
    for revoked in revocations:
        if revoked.serial != last:
            yield revoked
        last = revoked.serial


def crl_entries(store: Store, issuer: CrlIssuer, part: CrlPart | None = None) -> Iterator[RevokedCertificate]:
    """Return the entries of the complete CRL, or of a partition or reason part, by serial number."""
    is_in_scope = _scope(store, issuer, part)
    return (_entry(one) for one in _unique(store.index.revocations(issuer.id)) if is_in_scope(one))


def indirect_entries(
    store: Store, issuer: CrlIssuer, others: Iterable[CrlIssuer]
) -> Iterator[RevokedCertificate]:
    """Return the entries of an indirect CRL: the authority's own, then those of each other authority.

    The first entry of another authority has the certificate issuer extension, which applies to the
    entries that follow (RFC 5280, section 5.3.3).
    """
    yield from crl_entries(store, issuer)
    for other in _delegating(issuer, others):
        data = store.read(f"{other.id}/{other.name}.crt")
        extension = certificate_issuer(Certificate(first_certificate(data)).subject_der)
        for number, entry in enumerate(crl_entries(store, other)):
            yield entry if number else entry._replace(extensions=(*entry.extensions, extension))


def delta_entries(base: CertificateList, now: Iterable[RevokedCertificate]) -> list[RevokedCertificate]:
    """Return the entries of a delta CRL: added or changed since the base, and removed (section 5.2.4)."""
    before = {entry.serial: (entry.at, entry.reason) for entry in base.entries()}
    changed = [entry for entry in now if before.pop(entry.serial, None) != (entry.at, entry.code)]
    changed += [RevokedCertificate(serial, at, "removeFromCRL") for serial, (at, _) in before.items()]
    return sorted(changed, key=lambda entry: entry.serial)


def _delegating(issuer: CrlIssuer, others: Iterable[CrlIssuer]) -> Iterator[CrlIssuer]:
    return (other for other in others if other.crl.indirect_crl_issuer == issuer.id)


def _scope(store: Store, issuer: CrlIssuer, part: CrlPart | None) -> Callable[[Revoked], bool]:
    """Return the test for revocations that a part lists."""
    if part is None:
        return lambda revoked: True
    if part.partition is None:
        # No ReasonFlag exists for an unspecified reason, so the last part lists such revocations.
        elsewhere = {reason for other in issuer.crl.parts for reason in other.reasons} - set(part.reasons)
        is_last = part == issuer.crl.parts[-1]
        return lambda revoked: revoked.reason in part.reasons or (is_last and revoked.reason not in elsewhere)
    (number, count), bases = part.partition, store.index.cases_revoked(issuer.id)

    def is_in_partition(revoked: Revoked) -> bool:
        # A case has the CRL distribution point of its base, so the base's name determines the partition.
        name = bases.get(revoked.entity_id) or revoked.entity_id.partition("/")[2]
        return partition_of(name, count) == number

    return is_in_partition


def _entry(revoked: Revoked) -> RevokedCertificate:
    at = datetime.fromtimestamp(revoked.at, UTC)
    extensions: tuple[Extension, ...] = ()
    if revoked.invalid_since is not None:
        extensions = (invalidity_date(datetime.fromtimestamp(revoked.invalid_since, UTC)),)
    return RevokedCertificate(revoked.serial, at, revoked.reason, extensions)
