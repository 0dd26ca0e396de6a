"""What stands in which CRL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from pkigen.environment.published.publishers import CrlIssuer
from pkigen.formats import pem
from pkigen.model import CrlPart, Entity, Extension
from pkigen.plan.crl_distribution import partition_of
from pkigen.revocation import RevokedCertificate
from pkigen.revocation.crl import certificate_issuer, invalidity_date
from pkigen.store import Revoked, Store
from pkigen.x509 import Certificate, CertificateList


def revocation_changes(
    entity: Entity, serials: Iterable[tuple[str, int]], known: Iterable[Revoked]
) -> tuple[list[Revoked], list[Revoked]]:
    """What a profile's word on an entity adds to the revocations, and what it takes back.

    ``serials`` are (issuer id, serial) of its certificates, ``known`` the revocations on record.
    Those made by a command are left alone.
    """
    ours = {(found.issuer_id, found.serial): found for found in known if found.source == "profile"}
    asked = entity.revocation
    if asked is None:
        return [], list(ours.values())
    added = []
    for issuer, serial in serials:
        held = ours.get((issuer, serial))
        if held is None or (held.reason, held.text) != (asked.reason, asked.text):
            at = int(asked.at.timestamp())
            since = None if asked.invalid_since is None else int(asked.invalid_since.timestamp())
            added.append(Revoked(issuer, serial, entity.id, asked.reason, at, "profile", asked.text, since))
    return added, []


def listed_revocations(store: Store, issuer: CrlIssuer, others: Iterable[CrlIssuer]) -> Iterator[Revoked]:
    """All revocations that an authority's CRLs are about: its own, and those that others have it list."""
    for found in (issuer, *_delegating(issuer, others)):
        yield from _each_once(store.index.revocations(found.id))


def _each_once(revocations: Iterable[Revoked]) -> Iterator[Revoked]:
    """Those of one authority by serial number; of two of one serial, the command's."""
    last = None
    for found in revocations:
        if found.serial != last:
            yield found
        last = found.serial


def crl_entries(store: Store, issuer: CrlIssuer, part: CrlPart | None = None) -> Iterator[RevokedCertificate]:
    """The entries of the complete CRL, or of a part that is no delta and not indirect; by serial number."""
    wanted = _wanted(store, issuer, part)
    return (_entry(found) for found in _each_once(store.index.revocations(issuer.id)) if wanted(found))


def indirect_entries(
    store: Store, issuer: CrlIssuer, others: Iterable[CrlIssuer]
) -> Iterator[RevokedCertificate]:
    """The entries of an indirect CRL: the authority's own, and then those of one other after the next.

    The first entry of another one says whose certificates it and those behind it are of (5.3.3).
    """
    yield from crl_entries(store, issuer)
    for other in _delegating(issuer, others):
        held = (store.folder / other.id / f"{other.name}.crt").read_bytes()
        extension = certificate_issuer(Certificate(next(pem.blocks(held)).data).subject_der)
        for number, entry in enumerate(crl_entries(store, other)):
            yield entry if number else entry._replace(extensions=(*entry.extensions, extension))


def delta_entries(base: CertificateList, now: Iterable[RevokedCertificate]) -> list[RevokedCertificate]:
    """What a delta CRL lists: what is new or other than in its base, and what has been taken back (5.2.4)."""
    before = {entry.serial: (entry.at, entry.reason) for entry in base.entries()}
    changed = [entry for entry in now if before.pop(entry.serial, None) != (entry.at, entry.code)]
    changed += [RevokedCertificate(serial, at, "removeFromCRL") for serial, (at, _) in before.items()]
    return sorted(changed, key=lambda entry: entry.serial)


def _delegating(issuer: CrlIssuer, others: Iterable[CrlIssuer]) -> Iterator[CrlIssuer]:
    return (other for other in others if other.crl.listed_by == issuer.id)


def _wanted(store: Store, issuer: CrlIssuer, part: CrlPart | None) -> Callable[[Revoked], bool]:
    """Whether a revocation belongs into a part."""
    if part is None:
        return lambda found: True
    if part.partition is None:
        # Without a reason there is no flag for it: such a revocation stands with the last part's reasons.
        others = {reason for one in issuer.crl.parts for reason in one.reasons} - set(part.reasons)
        last = part == issuer.crl.parts[-1]
        return lambda found: found.reason in part.reasons or (last and found.reason not in others)
    (number, count), bases = part.partition, store.index.cases_revoked(issuer.id)

    def here(found: Revoked) -> bool:
        name = bases.get(found.entity_id) or found.entity_id.partition("/")[2]
        return partition_of(name, count) == number

    return here


def _entry(found: Revoked) -> RevokedCertificate:
    at = datetime.fromtimestamp(found.at, UTC)
    further: tuple[Extension, ...] = ()
    if found.invalid_since is not None:
        further = (invalidity_date(datetime.fromtimestamp(found.invalid_since, UTC)),)
    return RevokedCertificate(found.serial, at, found.reason, further)
