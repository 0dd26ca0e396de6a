"""Runs commands on a full disk, with few file descriptors, and with a limit on the size of files."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pkigen.cli import main
from tests.attack.commands import Ended, run_command
from tests.attack.kills import torn
from tests.attack.result import Outcome, outcome

_PROFILE = """
name: scarce
defaults: {key: ec-p256}
authorities: {root: {subject: {CN: Root}}, issuing: {issuer: root}}
certificates: {"host-{01..20}": {issuer: issuing}}
"""
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("build", "PROFILE", "--out", "OUT", "--force", "--replace-root"),
    ("revoke", "ENV", "host-01"),
    ("refresh-crl", "ENV"),
    ("renew", "ENV", "host-02"),
    ("export", "ENV", "--to", "nginx", "--out", "OUT/export", "--force"),
    ("report", "ENV", "--out", "OUT/report.html"),
)
_DISK = 1_600_000
_SHORTEST_MESSAGE = 20
_BALLAST = "ballast"


def full_disk(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Leave a random number of bytes free on a small file system, and run a command there (root only)."""
    with _small_disk(folder) as disk:
        for number in numbers:
            rng = random.Random(f"disk {seed} {number}")
            free = rng.choice((0, 4096, rng.randrange(600_000)))
            yield _try(number, rng, disk, partial(_fill, disk / _BALLAST, free), f"{free} bytes free")


def _fill(ballast: Path, free: int) -> None:
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(ballast.parent).free - free)))


def file_descriptors(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Limit the file descriptors of a command to a random number."""
    for number in numbers:
        rng = random.Random(f"descriptors {seed} {number}")
        count = rng.randrange(6, 40)
        limit = partial(_limit, resource.RLIMIT_NOFILE, count)
        yield _try(number, rng, folder, limit, f"{count} descriptors")


def file_sizes(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Limit the size of each file that a command writes to a random number of bytes."""
    for number in numbers:
        rng = random.Random(f"sizes {seed} {number}")
        size = rng.choice((0, rng.randrange(2_000), rng.randrange(300_000)))
        limit = partial(_limit, resource.RLIMIT_FSIZE, size)
        yield _try(number, rng, folder, limit, f"files of {size} bytes")


def _limit(kind: int, value: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(kind, (value, value))


def _try(
    number: int, rng: random.Random, folder: Path, limit: Callable[[], object], description: str
) -> Outcome:
    """Run one command under a limit; it reports the problem, and the next build without a limit succeeds."""
    profile, environment = folder / "scarce.yaml", folder / "out/scarce"
    profile.write_text(_PROFILE.replace("CN: Root", f"CN: Root {number // 20}"))
    paths = {"PROFILE": profile, "OUT": folder / "out", "ENV": environment}
    if not environment.exists():
        run_command(_texts(_COMMANDS[0], paths))
    arguments = _texts(rng.choice(_COMMANDS), paths)
    ended = _run_limited(arguments, limit)
    (folder / _BALLAST).unlink(missing_ok=True)
    problem = ended.problem() or torn(environment)
    if not problem and ended.code == 3 and len(ended.err.strip()) < _SHORTEST_MESSAGE:
        problem = f"no message: {ended.err}"
    after = run_command(_texts(_COMMANDS[0], paths))
    if not problem and after.code:
        problem = f"the next build fails: {after.err[-300:]}"
    return outcome(number, f"{arguments[0]} with {description}: {problem}" if problem else "")


def _texts(arguments: Iterable[str], paths: dict[str, Path]) -> list[str]:
    texts = []
    for argument in arguments:
        first, slash, rest = argument.partition("/")
        texts.append(f"{paths[first]}{slash}{rest}" if first in paths else argument)
    return texts


def _run_limited(arguments: list[str], limit: Callable[[], object]) -> Ended:
    """Run a command line in a fork after ``limit``; no limit affects the pipe for its messages."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        sys.stderr = os.fdopen(theirs, "w", buffering=1)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  until the process ends
        limit()
        os._exit(main(arguments))
    os.close(theirs)
    with open(ours, "rb") as file:
        messages = file.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), "", messages)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system; raises PermissionError for users who cannot."""
    disk = Path(tempfile.mkdtemp(dir=folder))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=755", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise PermissionError("only root can mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)
