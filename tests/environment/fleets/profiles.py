"""A profile with a small fleet, and its rows as other programs read them."""

from __future__ import annotations

import csv
import json
import sqlite3
import tarfile
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

from pkigen.environment.build.options import BuildResult
from tests.environment.profiles import Document, build_it

Row = dict[str, Any]


def with_fleet(count: int = 20, shard: int = 8, **fields: Any) -> Document:
    """A root, an issuing CA with an OCSP responder, and a fleet in shards."""
    return {
        "name": "lab",
        "defaults": {"key": "ec-p256", "subject": {"O": "Test"}},
        "authorities": {
            "root": {"subject": {"CN": "Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}, "path_length": "0", "ocsp": {}},
        },
        "fleets": {
            "meter": {
                "count": str(count),
                "shard": str(shard),
                "issuer": "issuing",
                "subject": {"CN": "{{ name }}.test"},
                **fields,
            }
        },
    }


def build_fleet(out: Path, *, jobs: int = 1, seed: str | None = None, **fields: Any) -> BuildResult:
    """Build the profile above; one job, since to start processes takes longer than a small fleet."""
    return build_it(with_fleet(**fields), out, jobs=jobs, seed=seed)


def rows(folder: Path, form: str = "jsonl") -> dict[str, Row]:
    """Return the rows of a fleet by name, from all of its shards, without code of pkigen."""
    paths = sorted((folder / "fleets" / "meter" / form).iterdir())
    return {row["name"]: {**row, "index": int(row["index"])} for path in paths for row in READERS[form](path)}


def _csv(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _jsonl(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _sqlite(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM certificates")]


def _tar(path: Path) -> list[Row]:
    members: dict[str, Row] = {}
    with tarfile.open(path) as archive:
        for info in archive:
            content = archive.extractfile(info)
            assert content is not None
            _, name, file = info.name.split("/")
            row = members.setdefault(name, {"name": name, "index": name.rpartition("-")[2]})
            kind = {"crt": "certificate", "key": "key"}.get(file.rpartition(".")[2])
            if kind is not None:
                row[kind] = content.read().decode()
    return list(members.values())


def _parquet(path: Path) -> list[Row]:
    table: list[Row] = import_module("pyarrow.parquet").read_table(path).to_pylist()
    return table


READERS = {"csv": _csv, "jsonl": _jsonl, "sqlite": _sqlite, "tar": _tar, "parquet": _parquet}
