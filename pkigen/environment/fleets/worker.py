"""Builds one shard: keys, certificates, and the files of each format. Runs in worker processes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pkigen.asn1 import der
from pkigen.environment.build.issuance import IssuanceWorker
from pkigen.environment.fleets.formats import FORMATS, Member, ShardContext
from pkigen.environment.manifest.fleets import DIRECTORY
from pkigen.errors import InputError
from pkigen.formats import pem, private_keys
from pkigen.issue import certificate
from pkigen.keys import PrivateKey, key_identifier, kind_of, load_private, public_key_info, to_pkcs8
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.signing import signing
from pkigen.model import Entity, Role, Signature
from pkigen.plan.fleets import Stencil
from pkigen.profile.expansion import InstanceError
from pkigen.store import ShardRow
from pkigen.store.layout import STAGING, STATE

_BATCH = 256


@dataclass(frozen=True)
class ShardTask:
    """A shard to build; ``faulty`` are the plans of its certificates with a fault, by their numbers."""

    row: ShardRow
    faulty: Mapping[int, Entity]

    @property
    def numbers(self) -> range:
        """The numbers of its certificates."""
        return range(self.row.first, self.row.last + 1)


@dataclass(frozen=True)
class StagedFile:
    """A file of a shard in the staging directory: its format, path, SHA-256, and size."""

    format: str
    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class FleetTemplate:
    """What all shards of a fleet have in common.

    ``signature`` is the signature algorithm, ``chain`` the CA certificates in DER, ``pool`` the shared keys
    (PKCS#8).
    """

    stencil: Stencil
    issuer_id: str
    key: str
    signature: Signature
    chain: tuple[bytes, ...]
    passphrase: bytes | None = field(repr=False)
    pkcs12_passphrase: bytes = field(repr=False)
    pool: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the shards."""
        return self.stencil.fleet.settings.to


class MemberKey(NamedTuple):
    """A key as a shard contains it: its SubjectPublicKeyInfo in DER, and its PEM."""

    spki: bytes
    pem: str


class UnsignedCertificate(NamedTuple):
    """A certificate of a shard before it is signed; ``tbs`` is empty if it has a fault."""

    number: int
    key: MemberKey
    tbs: bytes


@dataclass
class ShardWorker:
    """Builds the shards of the fleets in ``templates``, by name. Picklable."""

    issuance: IssuanceWorker
    templates: Mapping[str, FleetTemplate]

    def __post_init__(self) -> None:
        self._pools = dict[str, list[MemberKey]]()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_pools": {}}

    def for_fleet(self, fleet: str, *, with_key: bool) -> ShardWorker:
        """Return a worker for one fleet in another process, with or without the key of its issuer."""
        template = self.templates[fleet]
        issuer = self.issuance.authorities[template.issuer_id]
        issuer = issuer if with_key else replace(issuer, key=None)
        issuance = replace(self.issuance, authorities={template.issuer_id: issuer})
        return ShardWorker(issuance, {fleet: template})

    def build(
        self, task: ShardTask, prepared: Iterable[list[UnsignedCertificate]] | None = None
    ) -> list[StagedFile]:
        """Write the files of a shard into the staging directory.

        ``prepared`` are its unsigned certificates, if another process encoded them.
        """
        template = self.templates[task.row.fleet]
        folder = self.issuance.folder / STATE / STAGING
        paths = {name: folder / secrets.token_hex(12) for name in template.formats}
        try:
            for path in paths.values():
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            write_shard(paths, template, self.members(task, prepared))
        except BaseException:
            for path in paths.values():
                path.unlink(missing_ok=True)
            raise
        return [describe_file(name, path) for name, path in paths.items()]

    def members(
        self, task: ShardTask, prepared: Iterable[list[UnsignedCertificate]] | None = None
    ) -> Iterator[Member]:
        """Issue the certificates of a shard, in batches.

        A batch takes each step for all of its certificates: the tables of elliptic curves would otherwise
        evict all other code and data from the processor's caches for each certificate, which takes half of
        the time.
        """
        for batch in self.prepare(task) if prepared is None else prepared:
            yield from self._signed(task, batch)

    def prepare(self, task: ShardTask) -> Iterator[list[UnsignedCertificate]]:
        """Generate the keys of a shard and encode its certificates, in batches; needs no key of a CA."""
        row, template = task.row, self.templates[task.row.fleet]
        stencil, kind, numbers = template.stencil, parse_kind(template.key), iter(task.numbers)
        while batch := list(islice(numbers, _BATCH)):
            keys = [self._key(template, kind, row.name(number), number) for number in batch]
            identifiers = [key_identifier(key.spki) for key in keys]
            sound = [number for number in batch if number not in task.faulty]
            try:
                specs = {number: stencil.fleet.specification(number) for number in sound}
            except InstanceError as error:
                raise InputError(error.problems) from error
            yield [
                UnsignedCertificate(
                    number,
                    key,
                    stencil.tbs(specs[number], row.serial(number), key.spki, identifier)
                    if number in specs
                    else b"",
                )
                for number, key, identifier in zip(batch, keys, identifiers, strict=True)
            ]

    def _signed(self, task: ShardTask, batch: list[UnsignedCertificate]) -> Iterator[Member]:
        row, template, issuance = task.row, self.templates[task.row.fleet], self.issuance
        issuer = issuance.signer(template.issuer_id)
        sign = signing(issuer.key, template.signature, issuance.signature_entropy)
        signatures = [sign(one.tbs) if one.tbs else b"" for one in batch]
        algorithm = template.stencil.algorithm
        for (number, key, tbs), signature in zip(batch, signatures, strict=True):
            fault, expected = "", "accept"
            if tbs:
                data = der.sequence(tbs, algorithm, der.bit_string(signature))
            else:
                faulty = task.faulty[number]
                assert faulty.fault is not None
                data = self._faulty(faulty, key.spki, key_identifier(key.spki))
                fault, expected = faulty.fault.id, faulty.fault.expected
            certificate_pem = pem.encode(pem.CERTIFICATE, data).decode()
            serial = f"{row.serial(number):x}"
            yield Member(number, row.name(number), serial, certificate_pem, key.pem, fault, expected)

    def _faulty(self, entity: Entity, spki: bytes, identifier: bytes) -> bytes:
        plan, issuance = entity.certificates[0], self.issuance
        issuer = issuance.signer(plan.issuer_id)
        if plan.rogue_key:
            rogue_key = issuance.rogue_key(plan.rogue_key, kind_of(issuer.key).name)
            issuer = type(issuer)(rogue_key, issuer.key_identifier)
        return certificate(plan, spki, identifier, issuer, issuance.signature_entropy)

    def _key(self, template: FleetTemplate, kind: KeyKind, name: str, index: int) -> MemberKey:
        """Return the key of a certificate, new or from the pool."""
        fleet = template.stencil.fleet.name
        if template.pool:
            if fleet not in self._pools:
                keys = map(load_private, template.pool)
                self._pools[fleet] = [self._encoded(template, key) for key in keys]
            pool = self._pools[fleet]
            return pool[(index - 1) % len(pool)]
        return self._encoded(template, self.issuance.keys.generate(kind, f"{Role.CERTIFICATE}/{name}"))

    def _encoded(self, template: FleetTemplate, key: PrivateKey) -> MemberKey:
        pkcs8 = to_pkcs8(key)
        text = private_keys.pkcs8(pkcs8, template.passphrase, self.issuance.entropy).decode()
        return MemberKey(public_key_info(key), text)


def write_shard(paths: Mapping[str, Path], template: FleetTemplate, members: Iterator[Member]) -> None:
    """Write certificates in several formats at once; ``paths`` are by format."""
    chain = b"".join(map(pem.certificate, template.chain))
    context = ShardContext(chain, template.pkcs12_passphrase, template.passphrase)
    with ExitStack() as stack:
        opened = (FORMATS[name].open(path, context) for name, path in paths.items())
        writers = [stack.enter_context(closing(writer)) for writer in opened]
        for member in members:
            for writer in writers:
                writer.add(member)


def describe_file(name: str, path: Path) -> StagedFile:
    """Return a file of a shard with its digest; ``name`` is its format."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return StagedFile(name, str(path), digest.hexdigest(), path.stat().st_size)


def shard_path(row: ShardRow, name: str) -> str:
    """Return the path of a shard's file relative to the environment; ``name`` is its format."""
    last = f"{row.last:0{row.width}}"
    return f"{DIRECTORY}/{row.fleet}/{name}/{row.name(row.first)}-{last}.{FORMATS[name].suffix}"


def shard_url(destination: str, row: ShardRow, name: str) -> str:
    """Return the URL of a shard's file below a destination."""
    return f"{destination.rstrip('/')}/{shard_path(row, name)}"
