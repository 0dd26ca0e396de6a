"""Writes and reads the files of a shard: one class per format, each writes certificates one after the other.

Every format has the same columns. ``certificate`` and ``key`` are PEM; ``fault`` and ``expected`` are the id
of an intentional fault and the verdict of a strict validator. A writer keeps at most one batch in memory,
except for PKCS#12, whose MAC needs the whole file.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.pkcs12 import KeyStoreWriter
from pkigen.formats.read import read_private_key

_BATCH = 1_000


class Member(NamedTuple):
    """One certificate of a fleet: a row of a shard. ``serial`` is hexadecimal."""

    number: int
    name: str
    serial: str
    certificate: str
    key: str
    fault: str
    expected: str


COLUMNS = ("index", *Member._fields[1:])


class ShardWriter(Protocol):
    """Writes one file."""

    def add(self, member: Member) -> None:
        """Add a certificate."""

    def close(self) -> None:
        """Complete the file."""


class ShardContext(NamedTuple):
    """What the files of a shard contain besides its certificates.

    ``chain`` is the PEM of the CA certificates. ``passphrase`` protects PKCS#12 files, ``key_passphrase``
    decrypts the keys.
    """

    chain: bytes
    passphrase: bytes
    key_passphrase: bytes | None


class _Csv:
    def __init__(self, path: Path, _context: ShardContext) -> None:
        self._file = path.open("w", encoding="ascii", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, member: Member) -> None:
        self._writer.writerow(member)

    def close(self) -> None:
        self._file.close()


class _Jsonl:
    def __init__(self, path: Path, _context: ShardContext) -> None:
        self._file = path.open("w", encoding="ascii", newline="\n")

    def add(self, member: Member) -> None:
        self._file.write(json.dumps(dict(zip(COLUMNS, member, strict=True)), separators=(",", ":")) + "\n")

    def close(self) -> None:
        self._file.close()


class _Sqlite:
    """A database with the table ``certificates``; name and serial number have an index."""

    def __init__(self, path: Path, _context: ShardContext) -> None:
        self._sql = sqlite3.connect(path, isolation_level=None)
        self._sql.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
            'CREATE TABLE certificates ("index" INTEGER PRIMARY KEY, name TEXT UNIQUE, serial TEXT UNIQUE,'
            " certificate TEXT, key TEXT, fault TEXT, expected TEXT);"
        )

    def add(self, member: Member) -> None:
        self._sql.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?)", member)

    def close(self) -> None:
        self._sql.execute("COMMIT")
        self._sql.close()


class _Parquet:
    def __init__(self, path: Path, _context: ShardContext) -> None:
        self._arrow = _pyarrow()
        fields = [
            (name, self._arrow.int64() if name == "index" else self._arrow.string()) for name in COLUMNS
        ]
        self._schema = self._arrow.schema(fields)
        self._writer = import_module("pyarrow.parquet").ParquetWriter(str(path), self._schema)
        self._batch = list[Member]()

    def add(self, member: Member) -> None:
        self._batch.append(member)
        if len(self._batch) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        columns = [list(column) for column in zip(*self._batch, strict=True)]
        batch = self._arrow.record_batch(columns, schema=self._schema)
        self._writer.write_table(self._arrow.Table.from_batches([batch]))
        self._batch.clear()

    def close(self) -> None:
        if self._batch:
            self._flush()
        self._writer.close()


class _Tar:
    """The files of each certificate, at the paths that an ordinary certificate has."""

    def __init__(self, path: Path, context: ShardContext) -> None:
        self._archive = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._chain = context.chain

    def add(self, member: Member) -> None:
        folder = f"certificates/{member.name}"
        self._file(f"{folder}/{member.name}.crt", member.certificate.encode(), 0o644)
        self._file(f"{folder}/{member.name}.key", member.key.encode(), 0o600)
        self._file(f"{folder}/chain.pem", self._chain, 0o644)

    def _file(self, name: str, data: bytes, mode: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), mode
        self._archive.addfile(info, io.BytesIO(data))

    def close(self) -> None:
        self._archive.close()


class _Pkcs12:
    """One key store with an entry for each certificate; its alias is the certificate's name."""

    def __init__(self, path: Path, context: ShardContext) -> None:
        self._path, self._context = path, context
        self._store = KeyStoreWriter([one.data for one in pem.blocks(context.chain)], context.passphrase)

    def add(self, member: Member) -> None:
        certificate = next(pem.scan(member.certificate.encode())).data
        key = read_private_key(member.key.encode(), self._context.key_passphrase, ours=True)
        self._store.add(member.name, key, certificate)

    def close(self) -> None:
        self._path.write_bytes(self._store.file())


class ShardFormat(NamedTuple):
    """A format: the suffix of its files, and how to write them and to read one certificate."""

    suffix: str
    open: Callable[[Path, ShardContext], ShardWriter]
    read: Callable[[Path, int | None], Iterable[Member]]


def _read_csv(path: Path, _number: int | None) -> Iterator[Member]:
    with path.open(encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            yield _member(row)


def _read_jsonl(path: Path, _number: int | None) -> Iterator[Member]:
    with path.open("rb") as file:
        for line in file:
            yield _member(json.loads(line))


def _read_sqlite(path: Path, number: int | None) -> Iterator[Member]:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        condition, values = ('WHERE "index" = ?', (number,)) if number else ('ORDER BY "index"', ())
        for row in connection.execute(f"SELECT {columns} FROM certificates {condition}", values):  # noqa: S608
            yield Member(*row)


def _read_parquet(path: Path, number: int | None) -> Iterator[Member]:
    _pyarrow()
    filters = [("index", "=", number)] if number else None
    table = import_module("pyarrow.parquet").read_table(str(path), filters=filters)
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield _member(row)


def _read_tar(path: Path, number: int | None) -> Iterator[Member]:
    """Yield the certificates; a tar archive contains neither their faults nor the expected verdicts."""
    with tarfile.open(path) as archive:
        for info in archive:
            name = info.name.split("/")[1]
            index = int(name.rpartition("-")[2])
            content = archive.extractfile(info)
            if content is None or number not in (None, index):
                continue
            if info.name.endswith(".crt"):
                certificate = content.read().decode()
            elif info.name.endswith(".key"):
                yield Member(index, name, "", certificate, content.read().decode(), "", "")


def _read_pkcs12(path: Path, _number: int | None) -> Iterator[Member]:
    raise InputError(
        f"{path}: pkigen does not take key stores apart; add another format to 'to', or use "
        "keytool -exportcert -alias NAME"
    )


def _member(row: dict[str, Any]) -> Member:
    return Member(int(row["index"]), *(str(row[name]) for name in COLUMNS[1:]))


FORMATS: dict[str, ShardFormat] = {
    "sqlite": ShardFormat("sqlite", _Sqlite, _read_sqlite),
    "parquet": ShardFormat("parquet", _Parquet, _read_parquet),
    "jsonl": ShardFormat("jsonl", _Jsonl, _read_jsonl),
    "csv": ShardFormat("csv", _Csv, _read_csv),
    "tar": ShardFormat("tar", _Tar, _read_tar),
    "pkcs12": ShardFormat("p12", _Pkcs12, _read_pkcs12),
}
"""The formats by their names in profiles; the first ones are the fastest to read one certificate from."""


def require_libraries(formats: Iterable[str]) -> None:
    """Raise InputError if a format needs a library that is not installed."""
    if "parquet" in formats:
        _pyarrow()


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise InputError(
            "shards in Parquet need a library that is not installed: pip install 'pkigen[fleets]', "
            "or choose another format with 'to'"
        ) from error
