"""The records of the index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from pkigen.model import File


class DamagedIndex(sqlite3.DatabaseError):
    """The index contains a value that no version of pkigen writes; the message names its place."""


@contextmanager
def decoding(place: str) -> Iterator[None]:
    """Raise the errors of decoding values of the index as DamagedIndex; ``place`` is their table or key."""
    try:
        yield
    except (
        *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError),
        RecursionError,
    ) as error:
        raise DamagedIndex(place) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a block as one transaction: it takes effect as a whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Entry:
    """One issued entity.

    ``spec``, ``output`` and ``issuers`` are digests of the input of its certificates and files. ``spki`` is
    the SHA-256 of its SubjectPublicKeyInfo. Times are seconds since the epoch. ``files`` are (path relative
    to the environment, SHA-256). ``record`` is the stored part of its JSON object in the manifest.
    ``serials`` are (issuer id, serial), the main certificate's first.
    """

    id: str
    spec: str
    output: str
    issuers: str
    key_kind: str
    key_source: str
    spki: str
    serials: tuple[tuple[str, int], ...]
    not_before: int
    not_after: int
    record: str
    files: tuple[tuple[str, str], ...] = ()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the main certificate file."""
        with decoding(f"entities: {self.id}"):
            name = self.id.partition("/")[2]
            return dict(self.files)[f"{self.id}/{name}.crt"]


@dataclass(frozen=True, slots=True)
class Record:
    """The part of an entry that the manifest needs; ``serials`` is JSON, as stored."""

    id: str
    record: str
    not_before: int
    not_after: int
    serials: str
    issuers: str

    @property
    def certificates(self) -> list[tuple[str, int]]:
        """(issuer id, serial) of its current certificates."""
        with decoding(f"entities: {self.id}"):
            return [(issuer, int(serial, 16)) for issuer, serial in json.loads(self.serials)]

    @property
    def has_fault(self) -> bool:
        """Whether it is a case with a fault, or the copy of an authority for one."""
        with decoding(f"entities: {self.id}"):
            return "fault" in json.loads(self.record)

    @property
    def self_signed(self) -> bool:
        """Whether the main certificate is self-signed."""
        return self.serials.startswith(f'[["{self.id}"')


@dataclass(frozen=True)
class StagedFiles:
    """An entity's files in a staging directory: the directory's name, (file name, SHA-256) of each file."""

    folder: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """An entity to commit: its entry (without files), its staged files, and files outside its directory."""

    entry: Entry
    staged: StagedFiles
    loose: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """A recorded file that is missing or altered; ``kind`` is "missing" or "altered"."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class CrlState:
    """The CRL of an authority, or the OCSP response about an end entity (``number`` is 0), as published.

    Times are seconds since the epoch, ``files`` are as those of an Entry.
    """

    authority: str
    number: int
    this_update: int
    next_update: int
    digest: str
    files: tuple[tuple[str, str], ...]


class Revoked(NamedTuple):
    """A recorded revocation; ``source`` is "profile" or "command", ``text`` is the value in the profile.

    Times are seconds since the epoch; ``invalid_since`` is the invalidity date, if there is one. A tuple,
    since an authority can have a million of them, and a frozen dataclass takes four times as long to create.
    """

    issuer_id: str
    serial: int
    entity_id: str
    reason: str
    at: int
    source: str
    text: str
    invalid_since: int | None = None
