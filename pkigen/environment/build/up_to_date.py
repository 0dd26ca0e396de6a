"""Recognizes a build that would change nothing, without loading the profile.

A build that leaves nothing to do records everything that its result depends on: the program, the options, the
contents of all files that it read and of all files of the environment, and the time until which no date
matters. The next build compares the contents. If one of them differs, it is an ordinary build.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pkigen.environment.build.options import Action, BuildOptions, BuildResult, Change, Summary
from pkigen.errors import PkigenError, visible
from pkigen.files import MISSING, current_reads
from pkigen.store import Store
from pkigen.store.layout import STATE, UP_TO_DATE
from pkigen.store.staged_files import file_digest
from pkigen.store.store import index_digest

if TYPE_CHECKING:
    from pkigen.environment.build.state import BuildState
    from pkigen.plan import Plan
    from pkigen.profile import Profile

_PACKAGE = Path(__file__).resolve().parents[2]
_PROGRAM = (".py", ".yaml")
_NAME = re.compile(rb"""^name:[ \t]*["']?([A-Za-z0-9][A-Za-z0-9._-]*)""", re.MULTILINE)
_LOOSE = ("trust.pem", "crls.pem", "manifest.json")
_NEW = {Action.ISSUE, Action.REISSUE, Action.REWRITE}


def recall(profile: Path, out: Path, options: BuildOptions) -> BuildResult | None:
    """Return the result of a build that would change nothing; None if only an ordinary build can tell."""
    started = time.perf_counter()
    if not _is_plain(options):
        return None
    try:
        name = _NAME.search(profile.read_bytes())
        if name is None:
            return None
        folder = out / name[1].decode()
        record = json.loads((folder / STATE / UP_TO_DATE).read_bytes())
        if record["environment"] != folder.name or not _is_unchanged(record, profile, folder):
            return None
        return BuildResult(folder, _summary(record), time.perf_counter() - started)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, PkigenError):
        return None  # the ordinary build reports the error


def record(profile: Profile, options: BuildOptions, plan: Plan, state: BuildState) -> None:
    """Record a finished build in its open environment, if the next one will change nothing."""
    reads, store, summary = current_reads(), state.store, state.summary
    if reads is None or profile.source is None or plan.fleets or not _is_plain(options):
        return
    counts, inside = _next_counts(summary), f"{os.path.abspath(store.folder)}/"
    until = _first_due_date(profile, state)
    index = store.index_digest()
    if counts is None or until is None or index is None:
        return
    document = {
        "environment": profile.name,
        "program": _program(),
        "profile": _places(profile.source),
        "inputs": {path: digest for path, digest in reads.items() if not path.startswith(inside)},
        "index": index,
        "files": dict(_digests(store.folder, _LOOSE)),
        "since": int(plan.clock.timestamp()),
        "until": until,
        "counts": counts,
        "left": [one.id for one in summary.changes if one.action is Action.LEFT],
        "reasons": [one.reasons for one in summary.changes if one.action is Action.LEFT],
        "notes": summary.notes,
    }
    with suppress(OSError):  # the build itself is complete
        store.record_up_to_date(json.dumps(document).encode())


def _is_plain(options: BuildOptions) -> bool:
    """Return whether no option can make a build do more than the profile requires."""
    return options == BuildOptions(jobs=options.jobs, keys=options.keys)


def _next_counts(summary: Summary) -> dict[str, int] | None:
    """Return the counts of the next build; None if its notes are not known yet."""
    if summary.up_to_date:
        return {str(action): count for action, count in summary.counts.items()}
    if summary.notes or summary.counts.keys() - {*_NEW, Action.KEEP}:
        return None
    return {Action.KEEP: summary.counts.total()}


def _first_due_date(profile: Profile, state: BuildState) -> int | None:
    from pkigen.plan.compliance import sets_named

    recorded = state.store.index.recorded
    state.due.add_document(sets_named(profile))
    return state.due.first_after_clock(recorded.begins(), recorded.ends())


def _is_unchanged(record: dict[str, Any], profile: Path, folder: Path) -> bool:
    """Compare the cheapest conditions first; the last ones hold the lock of the environment."""
    if not record["since"] <= time.time() < record["until"] or record["profile"] != _places(profile):
        return False
    if record["program"] != _program() or record["index"] != index_digest(folder):
        return False
    if any(digest != _digest(path) for path, digest in record["inputs"].items()):
        return False
    with Store.open(folder, write=True) as store:
        files = [*store.index.recorded.files(), *record["files"].items()]
        return record["index"] == store.index_digest() and not store.damaged_files(files)


def _summary(record: dict[str, Any]) -> Summary:
    summary = Summary(counts=Counter({Action(name): count for name, count in record["counts"].items()}))
    for entity_id, reasons in zip(record["left"], record["reasons"], strict=True):
        summary.changes.append(Change(visible(entity_id), Action.LEFT, tuple(map(visible, reasons))))
    summary.notes = [visible(note) for note in record["notes"]]
    return summary


def _places(profile: Path) -> list[str]:
    """Return the path of a profile, to which other paths are relative, and the path that links lead to."""
    return [os.path.abspath(profile), os.path.realpath(profile)]


def _digests(folder: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if (folder / path).exists():
            yield path, file_digest(f"{folder}/{path}")


def _digest(path: str) -> str:
    """Return the SHA-256 of an input, or MISSING if it is not a file."""
    return sha256(Path(path).read_bytes()).hexdigest() if os.path.isfile(path) else MISSING


def _program() -> str:
    """Return a digest of the program: the file with its version, and the sizes and times of all files."""
    state = sha256((_PACKAGE / "__init__.py").read_bytes())
    directories = [str(_PACKAGE)]
    for directory in directories:
        with os.scandir(directory) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.is_dir():
                    directories.append(entry.path)
                elif entry.name.endswith(_PROGRAM):
                    status = entry.stat()
                    state.update(f"{entry.path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return state.hexdigest()
