"""Damaged and foreign environments: corrupt index.db or manifest.json, then run the commands that read it."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.attack.commands import Ended, run_command
from tests.attack.result import Outcome, outcome

PROFILE = """
name: victim
base_url: http://127.0.0.1:8080
defaults: {key: ec-p256}
authorities:
  root: {subject: {CN: Root}}
  issuing: {issuer: root, crl: {delta: 1d}}
certificates:
  sensor: {issuer: issuing, subject: {CN: sensor.test}, revoked: superseded}
  server: {issuer: issuing, subject: {CN: server.test}}
  pruned: {issuer: root, subject: {CN: pruned.test}}
negatives:
  - {of: server, faults: [expired, ocsp-stale, crl-expired]}
"""
AT = "2026-12-01"
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("build", "PROFILE", "--out", "OUT"),
    ("build", "PROFILE", "--out", "OUT", "--prune"),
    ("plan", "PROFILE", "--out", "OUT"),
    ("revoke", "ENV", "server"),
    ("revoke", "ENV", "sensor", "--reason", "keyCompromise"),
    ("unrevoke", "ENV", "sensor", "--force"),
    ("refresh-crl", "ENV"),
    ("renew", "ENV", "server"),
    ("break", "ENV", "server", "wrong-host"),
    ("check", "ENV", "--against", "rfc5280"),
    ("export", "ENV", "--to", "nginx", "--out", "EXPORT", "--force"),
    ("report", "ENV", "--out", "EXPORT.html"),
    ("graph", "ENV"),
    ("hosts", "ENV"),
)
_REMEDIES = ("damaged", "index.db", "remove it", "move it away", "use that version")
_VALUES: tuple[Any, ...] = (
    *(None, "", "x", b"\xff\xfe", -1, 0, 2**63 - 1, -(2**63), 1.5, "null", "[]", "{}", "[[]]", "[1]", "true"),
    *('{"a": 1}', '["a"]', '[["a", "b"]]', '[["../../outside/file", "00"]]', '[["/etc/passwd", "00"]]'),
    *("../../outside", "authorities/..", "certificates/../../../outside", "..", "[" * 2000, "\ud7ff"),
    "9" * 400,
)
_PATHS = (
    *("../outside/secret", "/etc/passwd", "certificates/../../../outside/secret", "c:secret", "..\\outside"),
    *("", ".", "..", "certificates/link/secret", "a//b", "certificates\0/x"),
)


def damaged_environments(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Corrupt a copy of one environment for each number, and run a command that reads it."""
    sound = _built(folder)
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret").write_text("a secret outside of the environment")
    before = _contents(folder, "work")
    for number in numbers:
        rng = random.Random(f"damage {seed} {number}")  # repeatable, not secret
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(sound, work, symlinks=True)
        change = rng.choice(_WAYS)(rng, work / "victim")
        arguments = rng.choice(_COMMANDS)
        problem = _problem(run_command(_with_paths(arguments, folder, work)))
        if (contents := _contents(folder, "work")) != before:
            problem, before = problem or "a file outside of the environment changed", contents
        yield outcome(number, f"{' '.join(arguments)} after {change}: {problem}" if problem else "")


def _with_paths(arguments: Sequence[str], folder: Path, work: Path) -> list[str]:
    paths = {
        "PROFILE": folder / ("pruned.yaml" if "--prune" in arguments else "profile.yaml"),
        "OUT": work,
        "ENV": work / "victim",
        "EXPORT": work / "export",
        "EXPORT.html": work / "export.html",
    }
    return [str(paths.get(argument, argument)) for argument in arguments]


def _problem(ended: Ended) -> str:
    if problem := ended.problem():
        return problem
    if ended.code == 3 and not any(remedy in ended.err for remedy in _REMEDIES):
        return f"no remedy: {ended.err[-300:]}"
    if "a secret outside" in ended.out + ended.err:
        return "a file outside of the environment was read"
    return ""


def _built(folder: Path) -> Path:
    profile = folder / "profile.yaml"
    profile.write_text(PROFILE)
    (folder / "pruned.yaml").write_text(PROFILE.replace("  pruned:", "  # pruned:"))
    sound = folder / "sound"
    ended = run_command(["build", str(profile), "--out", str(sound), "--at", AT])
    assert ended.code == 0, ended.err
    with closing(sqlite3.connect(sound / "victim/.pkigen/index.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sound


def _contents(folder: Path, without: str) -> dict[str, str]:
    return {
        str(path): sha256(path.read_bytes()).hexdigest()
        for top in folder.iterdir()
        if top.name != without
        for path in ((top, *top.rglob("*")) if top.is_dir() else (top,))
        if path.is_file()
    }


def _bytes_of_index(rng: random.Random, env: Path) -> str:
    path = env / ".pkigen/index.db"
    data = bytearray(path.read_bytes())
    way = rng.randrange(4)
    if way == 0:
        for _ in range(rng.choice((1, 3, 30))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif way == 1:
        del data[rng.randrange(len(data)) :]
    elif way == 2:
        page = rng.randrange(len(data) // 4096) * 4096
        data[page : page + 4096] = bytes(4096)
    else:
        start = rng.randrange(len(data))
        data[start : start + 64] = rng.randbytes(64)
    path.write_bytes(data)
    return f"a change of bytes of index.db ({way})"


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return [row[0] for row in connection.execute(query)]


def _value_of_index(rng: random.Random, env: Path) -> str:
    """Replace one value of one row, or of a new row in the journal."""
    connection = sqlite3.connect(env / ".pkigen/index.db")
    try:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        if rng.random() < 0.15:
            return _journal(rng, connection)
        filled = [
            table for table in _tables(connection)
            if connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
        ]  # fmt: skip
        table = rng.choice(filled)
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column = rng.choice(columns)
        rows = connection.execute(f"SELECT {columns[0]}, {column} FROM {table}").fetchall()  # noqa: S608
        key, old = rng.choice(rows)
        value = rng.choice((*_VALUES, *(_similar(rng, old) for _ in range(12))))
        with suppress(sqlite3.Error):
            query = f"UPDATE {table} SET {column} = ? WHERE {columns[0]} = ?"  # noqa: S608
            connection.execute(query, (value, key))
            connection.commit()
        return f"{table}.{column} of {key!r:.60} = {value!r:.80}"
    finally:
        connection.close()


def _journal(rng: random.Random, connection: sqlite3.Connection) -> str:
    columns = [row[1] for row in connection.execute("PRAGMA table_info(journal)")]
    entity = rng.choice(connection.execute("SELECT * FROM entities ORDER BY id").fetchall())
    row = [*entity, rng.choice(("../../../outside", "0" * 24, "..", "/tmp", "x/../../..", ""))]  # noqa: S108
    number = rng.choice((0, len(row) - 2, len(row) - 1))
    row[number] = rng.choice((row[number], *_VALUES))
    marks = ",".join("?" * len(columns))
    with suppress(sqlite3.IntegrityError):
        connection.execute(f"INSERT INTO journal VALUES ({marks})", row)  # noqa: S608
    connection.commit()
    return f"journal.{columns[number]} = {row[number]!r:.80}"


def _similar(rng: random.Random, old: Any) -> Any:
    """A value that is nearly the old one."""
    if isinstance(old, int):
        return rng.choice((old + 1, -old, old * 2**31, str(old), old + 10**12))
    text = str(old)
    position = rng.randrange(len(text) + 1)
    way = rng.randrange(5)
    if way == 0:
        return text[:position] + text[position + 1 :]
    if way == 1:
        return text[:position]
    if way == 2:
        return text[:position] + rng.choice('"[]{},:0/.\\x') + text[position + 1 :]
    if way == 3:
        return text.replace("certificates/", "certificates/../../../outside/")
    return text.replace('"', "'")


def _row_of_index(rng: random.Random, env: Path) -> str:
    """Delete a row, a table, or a column's name."""
    connection = sqlite3.connect(env / ".pkigen/index.db")
    try:
        table = rng.choice(_tables(connection))
        way = rng.randrange(3)
        if way == 0:
            connection.execute(f"DROP TABLE {table}")
        elif way == 1:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            connection.execute(f"ALTER TABLE {table} RENAME COLUMN {rng.choice(columns)} TO other")
        else:
            keys = [row[0] for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
            column = connection.execute(f"PRAGMA table_info({table})").fetchone()[1]
            if keys:
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (rng.choice(keys),))  # noqa: S608
        connection.commit()
        return f"{('DROP', 'RENAME COLUMN', 'DELETE')[way]} in {table}"
    finally:
        connection.close()


def _manifest(rng: random.Random, env: Path) -> str:
    """Replace one value of manifest.json, mostly a path, or one of its files by a link."""
    path = env / "manifest.json"
    if rng.random() < 0.15:
        return _link(rng, env)
    document = json.loads(path.read_bytes())
    places = list(_places(document))
    is_path = rng.random() < 0.5
    if is_path:
        texts = [place for place in places if isinstance(place[1], str)]
        places = [place for place in texts if "/" in place[1] and ":" not in place[1]]
    where, _, assign = rng.choice(places)
    value = rng.choice(_PATHS) if is_path else rng.choice([one for one in _VALUES if type(one) is not bytes])
    assign(value)
    path.write_text(json.dumps(document))
    return f"manifest {where} = {value!r:.80}"


def _places(value: Any, where: str = "") -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
    """Every value in a document: its place, itself, and the function that replaces it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield f"{where}.{key}", inner, partial(value.__setitem__, key)
        yield from _places(inner, f"{where}.{key}")


def _link(rng: random.Random, env: Path) -> str:
    target = rng.choice(sorted(path for path in env.rglob("*") if ".pkigen" not in path.parts))
    outside = env.parent.parent / "outside"
    if target.is_dir():
        shutil.rmtree(target)
        target.symlink_to(outside)
    else:
        target.unlink()
        target.symlink_to(outside / "secret")
    return f"a link at {target.relative_to(env)}"


_WAYS = (_bytes_of_index, *(_value_of_index,) * 4, _row_of_index, _manifest, _manifest)
