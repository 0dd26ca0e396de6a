"""The reasons for which a build reissues a certificate or rewrites its files, and their texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import blake2s, sha256

from pkigen.environment.build.earlier_revocations import COMPROMISES, EarlierRevocations, describe
from pkigen.environment.build.options import Action, BuildOptions, Change
from pkigen.environment.published.stored_keys import certificate_paths
from pkigen.errors import InputError
from pkigen.formats.names import file_name
from pkigen.formats.output_formats import format_called
from pkigen.model import ISSUED_CHAIN, Entity, Role
from pkigen.plan.digest import SHARED_KEY, changed_parts
from pkigen.store import Damage, Entry

IMPORTED = "brought"
"""The key source in the index of an authority that was imported from files."""
RENEWED = "its renewal was requested"
NOT_IN_PROFILE = "not in the profile; --prune deletes it"
GIVEN = "given"
"""The key source in the index of an entity whose key comes from a request or a key file."""


@dataclass(slots=True)
class ReissueDecider:
    """Decides for one entity after the other, issuers first.

    ``fingerprints`` are those of the certificates of authorities that stay; an authority that is reissued
    has none, so that everything below it is reissued. ``orphans`` are certificates that --only excludes
    although their issuer changed. ``key_opens`` returns whether an entity's passphrase decrypts its key file.
    """

    options: BuildOptions
    clock: datetime
    key_source: str
    key_opens: Callable[[Entity], bool]
    revocations: EarlierRevocations
    fingerprints: dict[str, str] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)
    _with_new_key: set[str] = field(default_factory=set)
    _issued: set[str] = field(default_factory=set)

    def decide(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage], output: str) -> Change:
        """Return what to do with an entity, and why.

        ``entry`` is its state in the index, ``damage`` lists its files that are missing or altered, and
        ``output`` is the digest of how its files must be written.
        """
        if self._is_excluded(entity, entry, damage):
            if entity.role is Role.AUTHORITY and entry:
                self.fingerprints[entity.id] = entry.fingerprint
            elif entry and entry.issuers != issuer_fingerprints(entity, self.fingerprints):
                self.orphans.add(entity.id)
            return Change(entity.id, Action.SKIP, ("excluded by --only",))
        change = self._change(entity, entry, damage, output)
        if change.new_key:
            self._with_new_key.add(entity.id)
        if change.action is Action.ISSUE:
            self._issued.add(entity.id)
        if entity.role is Role.AUTHORITY and entry and change.action in (Action.KEEP, Action.REWRITE):
            self.fingerprints[entity.id] = entry.fingerprint
        return change

    def _is_excluded(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage]) -> bool:
        """Return whether --only excludes an entity.

        Missing or damaged authorities are issued anyway, since what they issue needs them. Intact ones
        stay, or the certificates below them that --only excludes would lose their issuer; one that must get
        a chain for its certificates does not.
        """
        only = self.options.only
        if only is None or fnmatchcase(entity.name, only):
            return False
        if entity.role is not Role.AUTHORITY:
            return True
        return entry is not None and not damage and not _lacks_issued_chain(entity, entry)

    def _change(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage], output: str) -> Change:
        if entry is None:
            replaced = self.revocations.replaced(entity, None)
            revocation = describe(entity, replaced) if replaced else ""
            return Change(entity.id, Action.ISSUE, ("new in the profile",), True, revocation)
        key_reasons = self._key_reasons(entity, entry, damage, output)
        has_key_file = _key_path(entity) in dict(entry.files)
        if not key_reasons and entry.output != output and has_key_file and not self._opens(entity):
            raise InputError(
                f"{entity.id}: the profile's passphrase does not decrypt its key; "
                "correct the passphrase, or create a new key with --rekey"
            )
        reasons = (*key_reasons, *self._certificate_reasons(entity, entry, damage))
        rewrite_reasons = tuple(f"{one.path} {_DAMAGE[one.kind]}" for one in damage)
        if entry.output != output:
            rewrite_reasons = (*rewrite_reasons, "its files, its formats or its passphrase changed")
        faulty = bool(entity.output.alterations) or any(plan.edits for plan in entity.certificates)
        if reasons or (faulty and rewrite_reasons):
            # Faulty files cannot be read back, so reissue the whole entity.
            replaced = self.revocations.replaced(entity, entry)
            compromised = any(one.reason in COMPROMISES for one in replaced)
            if compromised and entity.given is not None and not key_reasons:
                raise InputError(
                    f"{entity.id}: its certificate was revoked because its key is compromised; "
                    "give a request or a key file with another key, or remove it from the profile"
                )
            new_key = bool(key_reasons) or faulty or compromised or not (has_key_file or _is_given(entity))
            return Change(
                entity.id, Action.REISSUE, reasons or rewrite_reasons, new_key, describe(entity, replaced)
            )
        if rewrite_reasons:
            return Change(entity.id, Action.REWRITE, rewrite_reasons)
        return Change(entity.id, Action.KEEP)

    def _opens(self, entity: Entity) -> bool:
        """Return whether the profile's passphrase decrypts the key file, as far as it matters."""
        return _is_given(entity) or bool(entity.output.alterations) or self.key_opens(entity)

    def _key_reasons(
        self, entity: Entity, entry: Entry, damage: Sequence[Damage], output: str
    ) -> tuple[str, ...]:
        reasons = []
        if entry.key_kind != entity.key:
            reasons.append(f"its key changed from {entry.key_kind} to {entity.key}")
        elif entity.given is not None and entry.spki != sha256(entity.given.public_key).hexdigest():
            reasons.append("the request or the key file of the profile has another key")
        elif entity.given is None and entry.key_source == GIVEN:
            reasons.append("the profile no longer has the request or the key file of its key")
        if entity.given is not None:
            return tuple(reasons)
        if self.options.rekey and entity.imported is None:
            reasons.append("a new key was requested with --rekey")
        if self.options.seed is not None and entry.key_source not in (self.key_source, IMPORTED):
            reasons.append("its key does not derive from this seed")
        if SHARED_KEY in changed_parts(entry.spec, spec_digest(entity)):
            reasons.append("its shared key changed")
        elif entity.fault is None and entity.key_of in self._with_new_key:
            reasons.append(f"the key of {entity.key_of.partition('/')[2]}, which it shares, is new")
        path = _key_path(entity)
        if entry.output != output and path not in dict(entry.files) and _writes_key(entity):
            reasons.append("its key was not written to a file before")
        reasons += [f"{path} {_DAMAGE[one.kind]}" for one in damage if one.path == path]
        return tuple(reasons)

    def _certificate_reasons(self, entity: Entity, entry: Entry, damage: Sequence[Damage]) -> tuple[str, ...]:
        changed = changed_parts(entry.spec, spec_digest(entity))
        is_self_signed = all(plan.issuer_id == entity.id for plan in entity.certificates)
        implied = "issuer" if is_self_signed and "subject" in changed else ""
        reasons = [f"its {part} changed" for part in changed if part not in (SHARED_KEY, implied)]
        issuers = dict.fromkeys(plan.issuer_id for plan in entity.certificates)
        reasons += [
            f"its issuer {issuer.partition('/')[2]} is " + ("new" if issuer in self._issued else "reissued")
            for issuer in issuers
            if issuer != entity.id and issuer not in self.fingerprints
        ]
        if not reasons and entry.issuers != issuer_fingerprints(entity, self.fingerprints):
            reasons.append("its issuer's certificate changed")
        certificates = set(certificate_paths(entity))
        reasons += [f"{one.path} {_DAMAGE[one.kind]}" for one in damage if one.path in certificates]
        if entity.id in self.options.renew:
            return (*reasons, RENEWED)
        return (*reasons, *self.time_reasons(entity, entry.not_before, entry.not_after))

    def time_reasons(self, entity: Entity, not_before: int, not_after: int) -> tuple[str, ...]:
        """Return why the clock requires another certificate; times in seconds since the epoch."""
        if not entity.certificates:
            return ()
        plan, now = entity.certificates[0], int(self.clock.timestamp())
        begin, end = (datetime.fromtimestamp(t, UTC) for t in (not_before, not_after))
        if plan.not_before > self.clock:
            must_begin = f"it is valid since {begin:%Y-%m-%d}, and must not be valid yet"
            return () if not_before > now else (must_begin,)
        if plan.not_after <= self.clock:
            must_end = f"it is valid until {end:%Y-%m-%d}, and must be expired"
            return () if not_after <= now else (must_end,)
        if not_after < now:
            return (f"it expired on {end:%Y-%m-%d}",)
        if not_before > now:
            return (f"it is not valid before {begin:%Y-%m-%d}",)
        due = not_after - entity.renew_before
        # A certificate that is shorter than its renewal period would be renewed by every build.
        if due <= now < int(plan.not_after.timestamp()) - entity.renew_before:
            return (f"it expires on {end:%Y-%m-%d}, and is due for renewal",)
        return ()


def _is_given(entity: Entity) -> bool:
    """Return whether pkigen does not generate the key of an entity."""
    return entity.imported is not None or entity.given is not None


def _lacks_issued_chain(entity: Entity, entry: Entry) -> bool:
    path = f"{entity.id}/{file_name(entity, ISSUED_CHAIN)}"
    return ISSUED_CHAIN in entity.output.files and path not in dict(entry.files)


def _key_path(entity: Entity) -> str:
    return f"{entity.id}/{file_name(entity, 'key')}"


def _writes_key(entity: Entity) -> bool:
    """Return whether the files of an entity without a fault contain the key that pkigen generates for it."""
    output, is_plain = entity.output, entity.fault is None and not _is_given(entity)
    return is_plain and ("key" in output.files or any(format_called(one).secret for one in output.formats))


_DAMAGE = {"missing": "is missing", "altered": "was altered"}


def spec_digest(entity: Entity) -> str:
    """Return the digest of all certificates of an entity, or of the files that it was imported from."""
    imported = entity.imported
    if imported is not None:
        parts = (imported.certificate, *imported.chain, imported.key or b"")
        return f"file={blake2s(b''.join(parts), digest_size=16).hexdigest()}"
    return "|".join(plan.spec for plan in entity.certificates)


def issuer_fingerprints(entity: Entity, fingerprints: Mapping[str, str]) -> str:
    """Return the fingerprints of the certificates of an entity's issuers, joined by commas."""
    issuers = (plan.issuer_id for plan in entity.certificates)
    return ",".join(fingerprints.get(issuer, "") for issuer in issuers if issuer != entity.id)
