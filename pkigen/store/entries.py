"""What the index holds: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pkigen.model import File


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one entity that was issued.

    ``spec``, ``output`` and ``issuers`` are digests of what it was made from; ``spki`` is the SHA-256
    of its SubjectPublicKeyInfo. Times are seconds of the epoch. ``files`` are (path below the
    environment, SHA-256 of the contents); ``record`` is its JSON object of the manifest. ``serials``
    are (issuer id, serial), the main certificate's first.
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


@dataclass(frozen=True, slots=True)
class Record:
    """The part of an entry that the manifest is made of; ``serials`` as the index has them, JSON."""

    id: str
    record: str
    not_before: int
    not_after: int
    serials: str

    @property
    def self_signed(self) -> bool:
        """Whether the main certificate is signed by its own key."""
        return self.serials.startswith(f'[["{self.id}"')


@dataclass(frozen=True)
class StagedFiles:
    """An entity's files, written and waiting: the folder's name, (file name, SHA-256) of each."""

    folder: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """An entity to put in place: its entry (without files), its folder, files that lie elsewhere."""

    entry: Entry
    staged: StagedFiles
    loose: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """A recorded file that is not as it was written; ``kind`` is "missing" or "altered"."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class CrlState:
    """What was published of an entity; times in seconds of the epoch, ``files`` as an Entry's.

    Of an authority it is its CRL, of an end entity the OCSP answer about it, which has no number (0).
    """

    authority: str
    number: int
    this_update: int
    next_update: int
    digest: str
    files: tuple[tuple[str, str], ...]


class Revoked(NamedTuple):
    """A revocation on record; ``source`` is "profile" or "command", ``text`` what was written.

    Instants are seconds of the epoch; ``invalid_since`` is None when nobody says. A tuple, since an
    authority can have a million of them: a frozen dataclass takes four times as long to make.
    """

    issuer_id: str
    serial: int
    entity_id: str
    reason: str
    at: int
    source: str
    text: str
    invalid_since: int | None = None
