"""What makes an entity be issued anew, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import blake2s

from pkigen.environment.build.options import Action, BuildOptions, Change
from pkigen.errors import InputError
from pkigen.formats.names import file_name
from pkigen.model import Entity, Role
from pkigen.plan.digest import changed_parts
from pkigen.store import Damage, Entry


@dataclass(slots=True)
class ReissueDecider:
    """Decides entity by entity, issuers first.

    ``fingerprints`` holds the digest of the certificate of each authority that stays as it is;
    an authority that is issued anew has none, and whatever it issued follows. ``orphans`` are those
    that --only kept from following. ``key_opens`` tells
    whether an entity's key file opens with its passphrase.
    """

    options: BuildOptions
    clock: datetime
    key_source: str
    renewals: frozenset[str]
    key_opens: Callable[[Entity], bool]
    fingerprints: dict[str, str] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)

    def decide(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage], output: str) -> Change:
        """The change of one entity; ``output`` is the digest of how its files are to be written."""
        if not self._wanted(entity, entry, damage):
            if entity.role is Role.AUTHORITY and entry:
                self.fingerprints[entity.id] = certificate_fingerprint(entry)
            elif entry and entry.issuers != issuer_fingerprints(entity, self.fingerprints):
                self.orphans.add(entity.id)
            return Change(entity.id, Action.SKIP, ("not named by --only",))
        change = self._change(entity, entry, damage, output)
        if entity.role is Role.AUTHORITY and entry and change.action in (Action.KEEP, Action.REWRITE):
            self.fingerprints[entity.id] = certificate_fingerprint(entry)
        return change

    def _wanted(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage]) -> bool:
        """Whether --only names an entity; authorities that are not there are made all the same.

        What they issue cannot be had without them. Those that are there stay, or all that was issued
        by them and is not named would be left without an issuer.
        """
        only = self.options.only
        if only is None or fnmatchcase(entity.name, only):
            return True
        return entity.role is Role.AUTHORITY and (entry is None or bool(damage))

    def _change(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage], output: str) -> Change:
        if entry is None:
            return Change(entity.id, Action.ISSUE, ("new in the profile",), new_key=True)
        key = self._key_reasons(entity, entry, damage)
        if not key and entry.output != output and entity.brought is None and not self._opens(entity):
            raise InputError(
                f"{entity.id}: its key does not open with the profile's passphrase; give the passphrase "
                "that it has, or ask for a new key with --rekey"
            )
        reasons = (*key, *self._certificate_reasons(entity, entry, damage))
        derived = tuple(f"{found.path} {_DAMAGED[found.kind]}" for found in damage)
        if entry.output != output:
            derived = (*derived, "its formats or its passphrase changed")
        altered = bool(entity.output.alterations) or any(plan.edits for plan in entity.certificates)
        if reasons or (altered and derived):
            # What a fault wrote wrong cannot be read back: it is made anew as a whole.
            return Change(entity.id, Action.REISSUE, reasons or derived, new_key=bool(key) or altered)
        if derived:
            return Change(entity.id, Action.REWRITE, derived)
        return Change(entity.id, Action.KEEP)

    def _opens(self, entity: Entity) -> bool:
        return bool(entity.output.alterations) or self.key_opens(entity)

    def _key_reasons(self, entity: Entity, entry: Entry, damage: Sequence[Damage]) -> tuple[str, ...]:
        reasons = []
        if entry.key_kind != entity.key:
            reasons.append(f"its key changed from {entry.key_kind} to {entity.key}")
        if self.options.rekey and entity.brought is None:
            reasons.append("a new key was asked for")
        if self.options.seed is not None and entry.key_source not in (self.key_source, IMPORTED):
            reasons.append("its key does not come from this seed")
        path = f"{entity.id}/{file_name(entity, 'key')}"
        reasons += [f"{path} {_DAMAGED[found.kind]}" for found in damage if found.path == path]
        return tuple(reasons)

    def _certificate_reasons(self, entity: Entity, entry: Entry, damage: Sequence[Damage]) -> tuple[str, ...]:
        reasons = [f"its {part} changed" for part in changed_parts(entry.spec, spec_digest(entity))]
        issuers = dict.fromkeys(plan.issuer_id for plan in entity.certificates)
        reasons += [
            f"its issuer {issuer.partition('/')[2]} is issued anew"
            for issuer in issuers
            if issuer != entity.id and issuer not in self.fingerprints
        ]
        if not reasons and entry.issuers != issuer_fingerprints(entity, self.fingerprints):
            reasons.append("its issuer's certificate is another")
        certificates = set(certificate_paths(entity))
        reasons += [f"{found.path} {_DAMAGED[found.kind]}" for found in damage if found.path in certificates]
        return (*reasons, *self._time_reasons(entity, entry))

    def _time_reasons(self, entity: Entity, entry: Entry) -> tuple[str, ...]:
        if entity.id in self.renewals:
            return ("its renewal was asked for",)
        if not entity.certificates:
            return ()
        plan, now = entity.certificates[0], int(self.clock.timestamp())
        ended, begun = (datetime.fromtimestamp(t, UTC) for t in (entry.not_after, entry.not_before))
        if plan.not_before > self.clock:
            return (
                () if entry.not_before > now else (f"it is valid since {begun:%Y-%m-%d}, and should not be",)
            )
        if plan.not_after <= self.clock:
            return (
                () if entry.not_after <= now else (f"it is valid until {ended:%Y-%m-%d}, and should not be",)
            )
        if entry.not_after < now:
            return (f"it ran out on {ended:%Y-%m-%d}",)
        if entry.not_before > now:
            return (f"it is not valid before {begun:%Y-%m-%d}",)
        due = entry.not_after - entity.renew_before
        if due <= now < int(plan.not_after.timestamp()) - entity.renew_before:
            return (f"it runs out on {ended:%Y-%m-%d}, and is renewed before",)
        return ()


IMPORTED = "brought"
_DAMAGED = {"missing": "is missing", "altered": "was altered"}


def spec_digest(entity: Entity) -> str:
    """The digest of all certificates of an entity, or of the files it was brought from."""
    held = entity.brought
    if held is not None:
        parts = (held.certificate, *held.chain, held.key or b"")
        return f"file={blake2s(b''.join(parts), digest_size=16).hexdigest()}"
    return "|".join(plan.spec for plan in entity.certificates)


def certificate_paths(entity: Entity) -> tuple[str, ...]:
    """The files that hold an entity's certificates, the main one first."""
    cross = entity.certificates[1:]
    names = [file_name(entity, "certificate")]
    names += [f"{entity.name}.cross-{plan.issuer_id.partition('/')[2]}.crt" for plan in cross]
    return tuple(f"{entity.id}/{name}" for name in names)


def certificate_fingerprint(entry: Entry) -> str:
    """The digest of an entity's main certificate file."""
    name = entry.id.partition("/")[2]
    return dict(entry.files)[f"{entry.id}/{name}.crt"]


def issuer_fingerprints(entity: Entity, fingerprints: Mapping[str, str]) -> str:
    """The digests of the certificates that sign an entity's, joined."""
    issuers = (plan.issuer_id for plan in entity.certificates)
    return ",".join(fingerprints.get(issuer, "") for issuer in issuers if issuer != entity.id)
