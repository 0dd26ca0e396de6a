"""One entity from its plan to its staged files; can run in another process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from pkigen.asn1 import der, names, oids
from pkigen.environment.manifest.entries import entity_json
from pkigen.errors import InputError
from pkigen.formats.render import render
from pkigen.issue import Signer, certificate, issue, signer
from pkigen.keys import PrivateKey, kind_of, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeySource
from pkigen.model import Entity, Extension, Issued, KeyIdentifier, Role, Signature
from pkigen.store import StagedFiles, stage
from pkigen.x509 import Certificate


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """What issuing needs of an authority: its certificate, those it brought along, its key."""

    certificate: bytes
    above: tuple[bytes, ...]
    key: bytes | None = field(repr=False)
    key_identifier: bytes | None


@dataclass(frozen=True)
class IssuanceTask:
    """An entity to make; ``key`` is the one that stays (PKCS#8), None asks for a new one.

    ``certificates`` are given when they stay too and only the files are written anew.
    """

    entity: Entity
    key: bytes | None = field(default=None, repr=False)
    certificates: tuple[bytes, ...] | None = None


@dataclass(frozen=True)
class IssuedEntity:
    """An entity made: its files staged, what the index and the manifest say of it.

    ``issued`` is there for authorities alone: others are about to need them.
    """

    id: str
    issued: Issued | None
    staged: StagedFiles
    spki: str
    record: str


@dataclass
class IssuanceWorker:
    """All that entities are made from. Picklable: signers are loaded where they are used."""

    folder: Path
    keys: KeySource
    entropy: Entropy
    repeatable: bool
    authorities: dict[str, IssuingAuthority] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._signers: dict[str, Signer] = {}
        self._shared: dict[tuple[str, str], PrivateKey] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_signers": {}, "_shared": {}}

    def signer(self, authority: str) -> Signer:
        """The signer of an authority that has a key."""
        if authority not in self._signers:
            held = self.authorities[authority]
            assert held.key is not None
            self._signers[authority] = signer(held.key, held.key_identifier)
        return self._signers[authority]

    def make(self, task: IssuanceTask, generated: PrivateKey | None = None) -> IssuedEntity:
        """Generate the key if need be, sign, write the files into the staging area.

        ``generated`` is a new key that was made ahead.
        """
        entity = task.entity
        if entity.brought is not None:
            held = entity.brought
            public = Certificate(held.certificate).subject_public_key_info
            return self._finish(Issued(entity, held.key, public, (held.certificate,), held.chain))
        chain = self._chain(entity)
        kept = load_private(task.key) if task.key else None
        if task.key and kept and task.certificates is not None:
            return self._finish(Issued(entity, task.key, public_key_info(kept), task.certificates, chain))
        key = kept or generated or self._key(entity)
        issuers = {plan.issuer_id for plan in entity.certificates} - {entity.id}
        signers = {issuer: self.signer(issuer) for issuer in issuers}
        strangers = {
            plan.stranger: self.stranger(
                plan.stranger, kind_of(signers[plan.issuer_id].key if plan.issuer_id in signers else key).name
            )
            for plan in entity.certificates
            if plan.stranger
        }
        entropy = self.entropy if self.repeatable else None
        try:
            return self._finish(issue(entity, key, signers, chain, entropy, strangers))
        except (IndexError, ValueError) as error:
            if entity.fault is None:
                raise
            words = f"{entity.id}: its fault ({entity.fault.id}) does not fit what it is to be made in"
            raise InputError(f"{words}: {error}") from error

    def stranger(self, name: str, kind: str) -> PrivateKey:
        """A key of a kind that all who name it share, in this process at least."""
        if (name, kind) not in self._shared:
            self._shared[name, kind] = self.keys.generate(parse_kind(kind), name)
        return self._shared[name, kind]

    def _key(self, entity: Entity) -> PrivateKey:
        if not entity.key_of:
            return self.keys.generate(parse_kind(entity.key), entity.id)
        if entity.key_of in self.authorities:
            return self.signer(entity.key_of).key
        return self.stranger(entity.key_of, entity.key)

    def key(self, kind: str) -> bytes:
        """Another key of a kind: what a fault puts in the place of an entity's own."""
        return to_pkcs8(self.stranger("other key", kind))

    def authority(self, issued: Issued) -> bytes:
        """Another CA's self-signed certificate, with the times of an entity's own."""
        entity = issued.entity
        key = self.stranger("other CA", "ec-p256")
        own = signer(to_pkcs8(key))
        name = names.name([("O", "Another Test PKI"), ("CN", "Another Test Root CA")])
        usages = der.named_bits(("keyCertSign", "cRLSign"), oids.KEY_USAGES)
        plan = replace(
            entity.certificates[0],
            subject=name,
            issuer=name,
            extensions=(
                Extension(oids.BASIC_CONSTRAINTS, True, der.sequence(der.boolean(True))),
                Extension(oids.KEY_USAGE, True, usages),
                Extension(oids.SUBJECT_KEY_IDENTIFIER, False, KeyIdentifier.SUBJECT),
            ),
            signature=Signature(),
            edits=(),
        )
        return certificate(plan, public_key_info(key), own, own, self.entropy if self.repeatable else None)

    def _chain(self, entity: Entity) -> tuple[bytes, ...]:
        above = [self.authorities[issuer] for issuer in entity.issuers]
        chain = [authority.certificate for authority in above]
        return (*chain, *above[-1].above) if above else ()

    def _finish(self, issued: Issued) -> IssuedEntity:
        entity = issued.entity
        staged = stage(self.folder, render(issued, self.entropy, self))
        spki = sha256(issued.public_key).hexdigest()
        text = entity_json(issued, [f"{entity.id}/{name}" for name, _ in staged.files], spki)
        return IssuedEntity(entity.id, issued if entity.role is Role.AUTHORITY else None, staged, spki, text)
