"""The index's tables, and how its file is opened.

Two settings carry the promises of a build:

``journal_mode = WAL``: a commit is appended to a log, and counts once its last frame is there. A
process killed at any instant leaves all of a transaction or nothing of it, and a reader never waits
for a build, nor a build for a reader.

``synchronous = FULL``: a commit is on the disk when it returns. With NORMAL it would survive a kill,
but not the machine's power failing: then a serial or a CRL number that is in a published certificate
or CRL could be handed out once more, and a folder could have been swapped whose journal row is gone.
The price is one flush a commit, which is three for a batch of certificates.

The file is made beside its place and renamed: an ``index.db`` that is there is whole, so one that is
empty or unreadable was damaged later, and is reported, never used or replaced.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.staging import sync_folder

_VERSION = 2
ENTITY = """
    id TEXT PRIMARY KEY, spec TEXT, output TEXT, issuers TEXT, key_kind TEXT, key_source TEXT,
    spki TEXT, serials TEXT, not_before INTEGER, not_after INTEGER, record TEXT, files TEXT
"""
"""The columns of an entity, published or about to be; ``serials`` and ``files`` are JSON."""
_PUBLISHERS = "CREATE TABLE publishers (id TEXT PRIMARY KEY, plan TEXT NOT NULL);"
_TABLES = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entities ({ENTITY});
CREATE TABLE issued (id TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE serials (
    authority TEXT, serial TEXT, entity TEXT, PRIMARY KEY (authority, serial)
) WITHOUT ROWID;
CREATE TABLE crl_numbers (authority TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE crls (
    authority TEXT PRIMARY KEY, number INTEGER, this_update INTEGER, next_update INTEGER,
    digest TEXT, files TEXT
);
CREATE TABLE revocations (
    issuer TEXT, serial TEXT, entity TEXT, reason TEXT, at INTEGER, source TEXT, text TEXT,
    invalid_since INTEGER, PRIMARY KEY (issuer, serial, source)
) WITHOUT ROWID;
CREATE INDEX revocations_of ON revocations (entity);
CREATE TABLE renewals (id TEXT PRIMARY KEY);
{_PUBLISHERS}
CREATE TABLE journal ({ENTITY}, folder TEXT NOT NULL);
"""
_FROM_1 = f"ALTER TABLE revocations ADD COLUMN invalid_since INTEGER; {_PUBLISHERS}"
"""What brings an index of version 1 up to this one."""
_BESIDE = ("-wal", "-shm", "-journal")


def create(path: Path) -> None:
    """Make an empty index; EnvironmentFailure when what is left of another one stands beside it."""
    for ending in _BESIDE:
        if (left := path.with_name(path.name + ending)).exists():
            raise EnvironmentFailure(
                f"{path} is missing, but {left.name} is there. Restore it from a backup, or move the"
                " environment away and build anew"
            )
    draft = path.with_name("index.new")
    for ending in ("", *_BESIDE):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    os.rename(draft, path)
    sync_folder(path.parent)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an index; EnvironmentFailure when it is not one of this version of pkigen's.

    Reading leaves no trace: SQLite would put a log beside the index even then, and so is told that
    nobody writes when there is none.
    """
    if path.is_symlink() or not path.is_file():
        raise EnvironmentFailure(f"{path} is not a file of pkigen's; move it away")
    running = path.with_name(f"{path.name}-wal").exists()
    mode = "rw" if write else "ro" if running else "ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 1 and write:
            connection.executescript(f"BEGIN IMMEDIATE; {_FROM_1} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise EnvironmentFailure(_other(path, version))
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: past the drive's own cache, too
    except BaseException:
        connection.close()
        raise
    return connection


def _other(path: Path, version: int) -> str:
    if version == 1:
        return f"{path} is of an earlier pkigen; the next `pkigen build` brings it up to date"
    if version:
        return f"{path} is of another version of pkigen; use that one"
    return f"{path} is damaged, or not pkigen's. Restore it from a backup, or move the environment away"
