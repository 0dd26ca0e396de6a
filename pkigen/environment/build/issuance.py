"""Issues one entity: from its plan to its files in the staging area. Runs in worker processes as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from pkigen.asn1 import der, names, oids
from pkigen.environment.manifest.entries import entity_json
from pkigen.errors import InputError
from pkigen.formats.render import render
from pkigen.issue import Signer, certificate, issue, issue_alike, signer
from pkigen.keys import PrivateKey, kind_of, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeySource
from pkigen.model import Entity, Extension, Issued, KeyIdentifier, Name, Role, Signature
from pkigen.revocation import CertificateListPlan, certificate_list
from pkigen.store import StagedFiles, stage, stage_all
from pkigen.x509 import Certificate


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """The certificate, key (PKCS#8) and key identifier of an authority.

    ``chain`` are the certificates above an imported authority.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    key: bytes | None = field(repr=False)
    key_identifier: bytes | None


@dataclass(frozen=True)
class IssuanceTask:
    """An entity to issue; without ``key`` (PKCS#8) it gets a new key.

    With ``certificates`` only its files are written again. ``key_number`` distinguishes the new key from
    compromised ones that derive from the same seed.
    """

    entity: Entity
    key: bytes | None = field(default=None, repr=False)
    certificates: tuple[bytes, ...] | None = None
    key_number: int = 0


@dataclass(frozen=True)
class IssuedEntity:
    """An issued entity: its staged files, the SHA-256 of its public key, its part of the manifest.

    ``issued`` is set for authorities only, since later entities need them.
    """

    id: str
    issued: Issued | None
    staged: StagedFiles
    spki: str
    record: str


@dataclass
class IssuanceWorker:
    """Issues entities. Picklable: each process loads the signers that it uses.

    Signatures are deterministic if ``seeded`` is set.
    """

    folder: Path
    keys: KeySource
    entropy: Entropy
    seeded: bool
    authorities: dict[str, IssuingAuthority] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._signers: dict[str, Signer] = {}
        self._rogue_keys: dict[tuple[str, str], PrivateKey] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_signers": {}, "_rogue_keys": {}}

    @property
    def signature_entropy(self) -> Entropy | None:
        """The source of deterministic signatures; None for random ones."""
        return self.entropy if self.seeded else None

    def signer(self, authority: str) -> Signer:
        """Return the signer of an authority that has a key."""
        if authority not in self._signers:
            issuing = self.authorities[authority]
            assert issuing.key is not None
            self._signers[authority] = signer(issuing.key, issuing.key_identifier)
        return self._signers[authority]

    def forget(self, authority: str) -> None:
        """Forget an authority that was replaced."""
        self.authorities.pop(authority, None)
        self._signers.pop(authority, None)

    def issue(self, task: IssuanceTask, prefetched: PrivateKey | None = None) -> IssuedEntity:
        """Generate a key if necessary, sign the certificates, write the files into the staging area.

        ``prefetched`` is a new key for the entity.
        """
        issued = self.sign(task, prefetched)
        return _issued_entity(issued, stage(self.folder, render(issued, self.entropy, self)))

    def issue_batch(self, tasks: Sequence[IssuanceTask]) -> list[IssuedEntity]:
        """Issue entities as ``issue`` does, each step for all of them where that is possible."""
        issued = list[Issued]()
        for alike, run in groupby(tasks, _common):
            same = list(run)
            issued += map(self.sign, same) if alike is None else self._sign_alike(alike[0], same)
        files = [render(one, self.entropy, self) for one in issued]
        return list(map(_issued_entity, issued, stage_all(self.folder, files)))

    def _sign_alike(self, issuer: str, tasks: Sequence[IssuanceTask]) -> list[Issued]:
        entities = [task.entity for task in tasks]
        keys = [self._new_key(task.entity, task.key_number) for task in tasks]
        chains = [self._chain(entity) for entity in entities]
        return issue_alike(entities, keys, self.signer(issuer), chains, self.signature_entropy)

    def sign(self, task: IssuanceTask, prefetched: PrivateKey | None = None) -> Issued:
        """Generate a key if necessary, and sign the certificates. Writes nothing.

        ``prefetched`` is a new key for the entity. Raises InputError for a fault that cannot be applied.
        """
        entity = task.entity
        if entity.imported is not None:
            imported = entity.imported
            spki = Certificate(imported.certificate).subject_public_key_info
            return Issued(entity, imported.key, spki, (imported.certificate,), imported.chain)
        chain = self._chain(entity)
        given = entity.given
        pkcs8 = given.pkcs8 if given else task.key
        existing = load_private(pkcs8) if pkcs8 else None
        if task.certificates is not None:
            if existing:
                spki = public_key_info(existing)
            elif given:
                spki = given.public_key
            else:  # there is no key file
                spki = Certificate(task.certificates[0]).subject_public_key_info
            return Issued(entity, pkcs8, spki, task.certificates, chain)
        key = existing or prefetched or (None if given else self._new_key(entity, task.key_number))
        issuers = {plan.issuer_id for plan in entity.certificates} - {entity.id}
        signers = {issuer: self.signer(issuer) for issuer in issuers}
        rogue_keys = {
            plan.rogue_key: self.rogue_key(
                plan.rogue_key,
                kind_of(signers[plan.issuer_id].key).name if plan.issuer_id in signers else entity.key,
            )
            for plan in entity.certificates
            if plan.rogue_key
        }
        try:
            return issue(entity, key, signers, chain, self.signature_entropy, rogue_keys)
        except (IndexError, ValueError) as error:
            if entity.fault is None:
                raise
            message = f"{entity.id}: the fault {entity.fault.id} cannot be applied to this certificate"
            raise InputError(f"{message}: {error}") from error

    def rogue_key(self, name: str, kind: str) -> PrivateKey:
        """Return a key that belongs to no entity, cached by label and kind."""
        if (name, kind) not in self._rogue_keys:
            self._rogue_keys[name, kind] = self.keys.generate(parse_kind(kind), name)
        return self._rogue_keys[name, kind]

    def _new_key(self, entity: Entity, number: int) -> PrivateKey:
        if not entity.key_of:
            owner = f"{entity.id}#{number}" if number else entity.id
            return self.keys.generate(parse_kind(entity.key), owner)
        if entity.key_of in self.authorities:
            return self.signer(entity.key_of).key
        return self.rogue_key(f"{entity.key_of}#{number}" if number else entity.key_of, entity.key)

    def key(self, kind: str) -> bytes:
        """Return an unrelated key (PKCS#8), for faults of the key file."""
        return to_pkcs8(self.rogue_key("other key", kind))

    def authority(self, issued: Issued) -> bytes:
        """Return the self-signed certificate of an unrelated CA, with the validity of an entity's own."""
        key, own, name = self._unrelated_signer()
        usages = der.named_bits(("keyCertSign", "cRLSign"), oids.KEY_USAGES)
        plan = replace(
            issued.entity.certificates[0],
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
        return certificate(plan, public_key_info(key), own.key_identifier, own, self.signature_entropy)

    def crl(self, issued: Issued) -> bytes:
        """Return an empty CRL of the unrelated CA, valid as long as an entity."""
        key, own, name = self._unrelated_signer()
        validity = issued.entity.certificates[0]
        plan = CertificateListPlan(name, own.key_identifier, 1, validity.not_before, validity.not_after)
        return certificate_list(plan, (), key, self.signature_entropy)

    def _unrelated_signer(self) -> tuple[PrivateKey, Signer, Name]:
        key = self.rogue_key("other CA", "ec-p256")
        name = names.name([("O", "Another Test PKI"), ("CN", "Another Test Root CA")])
        return key, signer(to_pkcs8(key)), name

    def _chain(self, entity: Entity) -> tuple[bytes, ...]:
        path = [self.authorities[issuer] for issuer in entity.issuers]
        certificates = [authority.certificate for authority in path]
        return (*certificates, *path[-1].chain) if path else ()


def _common(task: IssuanceTask) -> tuple[str, Signature] | None:
    """Return the issuer and the signature algorithm of a new certificate, None if it is a special one."""
    entity = task.entity
    if task.key or task.certificates or entity.fault or entity.given or entity.imported or entity.key_of:
        return None
    plan = entity.certificates[0]
    if len(entity.certificates) > 1 or plan.issuer_id == entity.id or plan.rogue_key:
        return None
    return plan.issuer_id, plan.signature


def _issued_entity(issued: Issued, staged: StagedFiles) -> IssuedEntity:
    entity = issued.entity
    spki = sha256(issued.public_key).hexdigest()
    record = entity_json(issued, [f"{entity.id}/{name}" for name, _ in staged.files], spki)
    return IssuedEntity(entity.id, issued if entity.role is Role.AUTHORITY else None, staged, spki, record)
