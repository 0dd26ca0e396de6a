"""The fleet of an export for a load tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from pathlib import Path

from pkigen.environment.fleets.formats import Member
from pkigen.environment.fleets.read import members
from pkigen.environment.manifest.schema import Fleet
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.read import read_private_key


@dataclass(frozen=True)
class ExportedFleet:
    """The certificates of a fleet that an export contains: the first ``count`` whose names match ``only``."""

    folder: Path
    fleet: Fleet
    only: str
    count: int | None
    passphrases: tuple[bytes, ...]

    def __iter__(self) -> Iterator[Member]:
        rows = (one for one in members(self.folder, self.fleet.name) if fnmatchcase(one.name, self.only))
        return islice(rows, self.count)

    @cached_property
    def chain(self) -> bytes:
        """The CA certificates above the certificates, in PEM, from the issuing CA to the root."""
        return (self.folder / self.fleet.chain).read_bytes()

    @cached_property
    def intermediates(self) -> str:
        """The CA certificates that a client sends: without the root."""
        blocks = list(pem.blocks(self.chain))
        return "".join(pem.certificate(one.data).decode() for one in blocks[:-1])

    def pkcs8(self, member: Member) -> bytes:
        """Return a certificate's private key, decrypted if necessary; InputError if that is impossible."""
        data = member.key.encode()
        for passphrase in (None, *self.passphrases):
            try:
                return read_private_key(data, passphrase, ours=True)
            except InputError as error:
                problem = error
        raise InputError(f"{member.name}: {problem}; pass its passphrase with --passphrase-file") from problem

    def key(self, member: Member) -> str:
        """Return a certificate's private key in PEM, unencrypted."""
        return pem.encode("PRIVATE KEY", self.pkcs8(member)).decode()
