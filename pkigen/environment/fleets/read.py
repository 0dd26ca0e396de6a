"""Reads certificates of a fleet from the shards of a built environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pkigen.documents.fields import unknown
from pkigen.environment.fleets.formats import FORMATS, Member
from pkigen.environment.fleets.remote import downloaded, is_url
from pkigen.environment.manifest.fleets import CHAIN, DIRECTORY
from pkigen.errors import InputError
from pkigen.files import links_outside
from pkigen.model import File
from pkigen.os_errors import os_error_reason
from pkigen.store import ShardRow, Store


@dataclass(frozen=True)
class ExtractedMember:
    """One certificate of a fleet, and the PEM of the CA certificates above it."""

    member: Member
    chain: bytes

    def files(self) -> tuple[File, ...]:
        """Return the files that an ordinary certificate has."""
        name = self.member.name
        return (
            File(f"{name}.crt", self.member.certificate.encode()),
            File(f"{name}.key", self.member.key.encode(), secret=True),
            File("chain.pem", self.chain),
        )


def extract(folder: Path, fleet: str, number: int) -> ExtractedMember:
    """Return one certificate of a fleet by its number; InputError if it does not exist or cannot be read."""
    with Store.open(folder, write=False) as store:
        rows = fleet_rows(store, fleet)
        row = store.index.shards.of_index(fleet, number)
        if row is None:
            last = rows[-1].last
            raise InputError(f"the fleet {fleet} has no certificate number {number:,}; it has 1 to {last:,}")
        for member in _read(folder, row, number):
            if member.number == number:
                return ExtractedMember(member, _chain(folder, fleet))
    raise InputError(f"the shard of {row.name(number)} does not contain it; build the environment again")


def members(folder: Path, fleet: str) -> Iterator[Member]:
    """Yield all certificates of a fleet in order, from the first of its formats that can be read."""
    with Store.open(folder, write=False) as store:
        rows = fleet_rows(store, fleet)
    for row in rows:
        yield from _read(folder, row, None)


def fleet_rows(store: Store, fleet: str) -> list[ShardRow]:
    """Return the shards of a fleet; InputError if there is none."""
    rows = store.index.shards.current(fleet)
    if not rows:
        known = tuple(store.index.shards.fleets())
        hint = unknown("fleet", fleet, known) if known else f"no fleet '{fleet}'; the environment has none"
        raise InputError(f"{store.folder}: {hint}")
    return rows


def _chain(folder: Path, fleet: str) -> bytes:
    return (folder / DIRECTORY / fleet / CHAIN).read_bytes()


def _read(folder: Path, row: ShardRow, number: int | None) -> Iterator[Member]:
    """Yield the certificates of a shard; with ``number``, possibly only that one."""
    paths = {file.path.rpartition(".")[2]: file.path for file in row.files}
    form = next((one for one in FORMATS.values() if one.suffix in paths), None)
    if form is None:
        raise InputError(f"{row.fleet} has no shards; build the environment again")
    path = paths[form.suffix]
    if is_url(path):
        with downloaded(path) as local:
            yield from form.read(local, number)
        return
    if links_outside(folder, [path]) is not None:
        raise InputError(f"{folder / path} is a link to a file outside the environment; remove the link")
    try:
        yield from form.read(folder / path, number)
    except OSError as error:
        raise InputError(
            f"{folder / path} cannot be read: {os_error_reason(error)}; build the environment again"
        ) from error
