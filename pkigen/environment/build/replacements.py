"""Compares the authorities of an environment with those of a build: what it replaces, what clients notice.

A build that would replace or remove an authority of another profile, or a trust anchor, needs a confirmation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from pkigen.asn1 import names
from pkigen.environment.build.diff import Decision, writes_files
from pkigen.environment.build.options import Action, BuildOptions
from pkigen.environment.manifest.enrolled import certificates_of_former_issuers
from pkigen.environment.published.stored_keys import read_key
from pkigen.environment.source_profile import recorded_profile, resolved_source
from pkigen.errors import InputError, Problem
from pkigen.formats import pem
from pkigen.model import Entity, ImportedCA, Role
from pkigen.plan import Plan
from pkigen.profile import Profile
from pkigen.store import Entry, Store, decoding
from pkigen.x509 import Certificate, Malformed

_AUTHORITIES = "authorities"
"""The index's key of the authorities (ids) of the last build."""
_NO_PROFILE = "no profile file"
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True, order=True)
class _Anchor:
    """A trust anchor: subject, SHA-256 of the SubjectPublicKeyInfo (empty for a new key)."""

    subject: str
    spki: str


@dataclass
class Replacements:
    """What a build replaces or removes: authorities (with the reasons), and trust anchors (subjects).

    ``notes`` are announcements for the operators of clients.
    """

    authorities: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_replacements(store: Store, decisions: Sequence[Decision]) -> Replacements:
    """Compare the recorded authorities with the decisions of a build for all authorities of its plan."""
    recorded = {entry.id: entry for entry in _recorded_authorities(store)}
    replacements = Replacements()
    if not recorded:
        return replacements
    planned = {one.entity.id: one for one in decisions if one.entity.fault is None}
    for entity_id, entry in recorded.items():
        reason = _difference(store, entry, planned.get(entity_id))
        if reason:
            replacements.authorities.append(f"{entity_id.partition('/')[2]} ({_subject(entry)}): {reason}")
    before = {anchor for entry in recorded.values() for anchor in _anchors_of_entry(store, entry)}
    after = {anchor for one in planned.values() for anchor in _anchors_of_plan(store, one)}
    replacements.anchors = sorted({anchor.subject for anchor in before - after})
    replacements.notes += [
        f"trust.pem no longer contains the trust anchor {subject}" for subject in replacements.anchors
    ]
    for subject in sorted({anchor.subject for anchor in after - before}):
        replacements.notes.append(f"new trust anchor {subject}: every client must import trust.pem again")
    for anchor in sorted(before & after):
        if any(_is_renewal(one) and _subject(one.entry) == anchor.subject for one in planned.values()):
            replacements.notes.append(
                f"the trust anchor {anchor.subject} is renewed with the same subject and key; clients that "
                "compare the whole certificate must import trust.pem again"
            )
    return replacements


def refusals(
    replacements: Replacements, store: Store, profile: Profile, options: BuildOptions
) -> list[Problem]:
    """Return why a build with these replacements needs a confirmation; empty if it needs none."""
    if options.force:
        return []
    source, target = recorded_profile(store), resolved_source(profile)
    if replacements.authorities and (source != target or target is None):
        return [
            Problem(
                f"{store.folder} was built from {source or _NO_PROFILE}; a build from "
                f"{target or _NO_PROFILE} would replace or remove these authorities:"
            ),
            *(Problem(f"  {authority}") for authority in replacements.authorities),
            Problem("Change the profile's name, choose another directory with --out, or use --force"),
        ]
    if replacements.anchors and not options.replace_root:
        return [
            Problem(f"{store.folder}: the build would replace or remove these trust anchors:"),
            *(Problem(f"  {subject}") for subject in replacements.anchors),
            Problem("Every client would have to import trust.pem again. To do so, use --replace-root"),
        ]
    return []


def check_replacements(
    store: Store, profile: Profile, decisions: Sequence[Decision], options: BuildOptions
) -> list[str]:
    """Return the announcements of a build; InputError if it replaces what must be confirmed."""
    replacements = find_replacements(store, decisions)
    if problems := refusals(replacements, store, profile, options):
        raise InputError(problems)
    return replacements.notes


def check_enrolled_names(store: Store, plan: Plan) -> None:
    """Raise InputError if the profile has a certificate with the name of one that a device requested."""
    enrolled = store.index.enrolled.ids()
    names = [one.name for one in plan.certificates() if one.id in enrolled] if enrolled else []
    requested = (one.partition("/")[2] for one in enrolled)
    fleets = [one.fleet for one in plan.fleets]
    names += [name for name in requested if any(fleet.index_of(name) for fleet in fleets)]
    for name in names:
        if store.index.get([f"{Role.CERTIFICATE}/{name}"]):
            raise InputError(
                f"a device requested a certificate that is called '{name}', and builds keep it; "
                "choose another name in the profile"
            )


def enrolled_notes(store: Store, clock: datetime) -> Iterator[str]:
    """Yield a note about the certificates that devices requested from a CA that was replaced since."""
    former = certificates_of_former_issuers(store, clock)
    if former:
        names = ", ".join(one.partition("/")[2] for one in former[:_MOST_NAMES])
        more = f" and {len(former) - _MOST_NAMES} more" if len(former) > _MOST_NAMES else ""
        yield f"devices requested {names}{more} from a CA whose certificate was replaced: request them again"


def announcements(
    store: Store, profile: Profile, decisions: Sequence[Decision], options: BuildOptions
) -> list[str]:
    """Return what a build would announce, and whether it would be refused."""
    replacements = find_replacements(store, decisions)
    if not (problems := refusals(replacements, store, profile, options)):
        return replacements.notes
    reason, *names, advice = (problem.message.strip() for problem in problems)
    return [f"a build is refused: {reason} {'; '.join(names)}. {advice}", *replacements.notes]


def save_authorities(store: Store, decisions: Iterable[Decision]) -> None:
    """Record the authorities of a build for the next comparison."""
    ids = [one.entity.id for one in decisions if one.entity.fault is None]
    store.index.set_meta(_AUTHORITIES, json.dumps(ids))


def is_anchor(entity: Entity) -> bool:
    """Return whether an authority is a trust anchor, from its plan: a faulty certificate need not parse."""
    if entity.imported is not None:
        return entity.imported.certificate in imported_anchors(entity.imported)
    return entity.trusted and entity.certificates[0].issuer_id == entity.id


def imported_anchors(imported: ImportedCA) -> list[bytes]:
    """Return the roots in an imported chain; without a root, the certificate nearest to it."""
    return _anchors_in((imported.certificate, *imported.chain))


def _anchors_in(path: Sequence[bytes]) -> list[bytes]:
    return [one for one in path if Certificate(one).is_self_issued] or [path[-1]]


def _recorded_authorities(store: Store) -> Iterator[Entry]:
    """Return the authorities of the last build; copies for cases with a fault do not count."""
    recorded = store.index.meta(_AUTHORITIES)
    prefix = f"{Role.AUTHORITY}/"
    with decoding(f"meta: {_AUTHORITIES}"):
        ids = [str(one) for one in json.loads(recorded)] if recorded else list(store.index.ids())
    for entry in store.index.get([one for one in ids if one.startswith(prefix)]).values():
        with decoding(f"entities: {entry.id}"):
            is_original = "fault" not in json.loads(entry.record)
        if is_original:
            yield entry


def _difference(store: Store, entry: Entry, decision: Decision | None) -> str:
    """Return how a build would replace an authority; empty if it keeps name, subject and key."""
    if decision is None:
        return "it is removed"
    if decision.change.action is Action.SKIP:
        return ""
    subject = _planned_subject(decision.entity)
    if subject != _subject(entry):
        return f"its subject becomes {subject}"
    return "" if _planned_key(store, decision) == entry.spki else "it gets another key"


def _subject(entry: Entry | None) -> str:
    if entry is None:
        return ""
    with decoding(f"entities: {entry.id}"):
        return str(json.loads(entry.record)["subject"])


def _planned_subject(entity: Entity) -> str:
    if entity.imported is not None:
        return names.text(Certificate(entity.imported.certificate).subject)
    return names.text(entity.certificates[0].subject)


def _planned_key(store: Store, decision: Decision) -> str:
    """Return the SHA-256 of the public key that an authority will have; empty for a new key."""
    entity, entry = decision.entity, decision.entry
    if entity.imported is not None:
        return _spki(Certificate(entity.imported.certificate))
    if entry is None or decision.change.new_key:
        return ""
    if not writes_files(decision.change) or read_key(store.folder, entity) is not None:
        return entry.spki
    return ""


def _is_renewal(decision: Decision) -> bool:
    return (
        decision.entry is not None and decision.change.action is Action.REISSUE and is_anchor(decision.entity)
    )


def _anchors_of_plan(store: Store, decision: Decision) -> Iterator[_Anchor]:
    if decision.change.action is Action.SKIP and decision.entry is not None:
        yield from _anchors_of_entry(store, decision.entry)
        return
    imported = decision.entity.imported
    if imported is not None:
        yield from map(_anchor, imported_anchors(imported))
    elif is_anchor(decision.entity):
        yield _Anchor(_planned_subject(decision.entity), _planned_key(store, decision))


def _anchors_of_entry(store: Store, entry: Entry) -> Iterator[_Anchor]:
    """Return the trust anchors that an authority contributes; those of an imported one are in its files."""
    if entry.serials:
        if entry.serials[0][0] == entry.id:
            yield _Anchor(_subject(entry), entry.spki)
        return
    name, path = entry.id.partition("/")[2], list[bytes]()
    try:
        for file in (f"{name}.crt", "chain.pem"):
            path += [block.data for block in pem.blocks((store.folder / entry.id / file).read_bytes())]
        anchors = _anchors_in(path)
    except (OSError, Malformed, IndexError):
        # Damaged files are reissued; the comparison of the authorities still applies.
        return
    yield from map(_anchor, anchors)


def _anchor(certificate: bytes) -> _Anchor:
    parsed = Certificate(certificate)
    return _Anchor(names.text(parsed.subject), _spki(parsed))


def _spki(certificate: Certificate) -> str:
    return sha256(certificate.subject_public_key_info).hexdigest()


@dataclass
class IssuerLifetimes:
    """Finds the authorities that expire before certificates that they issued; feed it issuers first."""

    _ends: dict[str, int] = field(default_factory=dict)
    _longer: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        """Compare the end of an entity's certificate with that of its issuer. Faults are intentional."""
        entity = decision.entity
        if entity.fault is not None:
            return
        if decision.entry is not None and not writes_files(decision.change):
            end = decision.entry.not_after
        elif entity.imported is not None:
            end = int(Certificate(entity.imported.certificate).not_after.timestamp())
        else:
            end = int(entity.certificates[0].not_after.timestamp())
        if entity.role is Role.AUTHORITY:
            self._ends[entity.id] = end
        if entity.certificates:
            issuer = entity.certificates[0].issuer_id
            if end > self._ends.get(issuer, end):
                self._longer.setdefault(issuer, []).append((end, entity.name))

    def notes(self) -> Iterator[str]:
        """Return one announcement for each issuer that expires too early."""
        for issuer, certificates in self._longer.items():
            end, name = max(certificates)
            more = f", and {len(certificates) - 1:,} more" if len(certificates) > 1 else ""
            authority, date = issuer.partition("/")[2], _date(self._ends[issuer])
            yield f"{authority} expires on {date}, before what it issued: {name} (until {_date(end)}){more}"


def _date(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d}"
