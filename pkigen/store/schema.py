"""The tables of the index, and how its database file is created and opened.

The guarantees of a build depend on two settings:

``journal_mode = WAL``: a commit appends to a log and takes effect with its last frame. A process that is
killed leaves a transaction complete or without any effect. Readers and the writer never wait for each other.

``synchronous = FULL``: a commit is on the disk when it returns. With NORMAL it would survive a kill, but not
a power failure: a serial number or CRL number that was published could be assigned a second time, and a
directory could be in place whose journal row is lost. The cost is one flush per commit, which is three per
batch of certificates.

The file is created under another name and renamed, so an ``index.db`` is always complete. An empty or
unreadable one was damaged later; pkigen reports it and never replaces it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pkigen import renames
from pkigen.errors import EnvironmentFailure
from pkigen.store.enrolled import ENROLLED
from pkigen.store.shards import SHARDS
from pkigen.store.staged_files import sync_directory

_VERSION = 4
ENTITY = """
    id TEXT PRIMARY KEY, spec TEXT, output TEXT, issuers TEXT, key_kind TEXT, key_source TEXT,
    spki TEXT, serials TEXT, not_before INTEGER, not_after INTEGER, record TEXT, files TEXT
"""
"""The columns of an entity, in the index and in the journal; ``serials`` and ``files`` are JSON."""
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
CREATE TABLE renewals (id TEXT PRIMARY KEY); -- unused, but older versions of pkigen read it
{_PUBLISHERS}
{ENROLLED}
{SHARDS}
CREATE TABLE journal ({ENTITY}, "folder" TEXT NOT NULL);
"""
_UPGRADES = {
    1: f"ALTER TABLE revocations ADD COLUMN invalid_since INTEGER; {_PUBLISHERS} {ENROLLED} {SHARDS}",
    2: f"{ENROLLED} {SHARDS}",
    3: f"ALTER TABLE enrolled ADD COLUMN faults TEXT NOT NULL DEFAULT ''; {SHARDS}",
}
"""Upgrades an index of an earlier version."""
_READABLE = (2, _VERSION)
_COMPANIONS = ("-wal", "-shm", "-journal")


def create(path: Path) -> None:
    """Create an empty index; EnvironmentFailure if another index was lost and left its companion files."""
    for ending in _COMPANIONS:
        if (left := path.with_name(path.name + ending)).exists():
            raise EnvironmentFailure(
                f"{path} is missing, but {left.name} exists. Restore it from a backup, or move the"
                " environment away and build it again"
            )
    draft = path.with_name("index.new")
    for ending in ("", *_COMPANIONS):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    renames.rename(draft, path)
    sync_directory(path.parent)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an index; EnvironmentFailure if this version of pkigen cannot use it.

    Opening for reading creates no file: SQLite would create a log, so without a log the file is opened as
    immutable.
    """
    if path.is_symlink() or not path.is_file():
        raise EnvironmentFailure(f"{path} is not a regular file; move it away")
    has_log = path.with_name(f"{path.name}-wal").exists()
    mode = "rw" if write else "ro" if has_log else "ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version in _UPGRADES and write:
            upgrade = f"{_UPGRADES[version]} PRAGMA user_version = {_VERSION};"
            connection.executescript(f"BEGIN IMMEDIATE; {upgrade} COMMIT;")
        elif version not in _READABLE:
            raise EnvironmentFailure(_version_problem(path, version))
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: also flush the drive's cache
    except BaseException:
        connection.close()
        raise
    return connection


def _version_problem(path: Path, version: int) -> str:
    if version in _UPGRADES:
        return f"{path} was written by an earlier version of pkigen; run `pkigen build` to upgrade it"
    if version:
        return f"{path} was written by another version of pkigen; use that version"
    return f"{path} is damaged or not an index. Restore it from a backup, or move the environment away"
