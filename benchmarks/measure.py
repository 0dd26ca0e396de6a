"""What a whole process costs: wall clock, CPU and memory, those of its children included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
REPEATS = 5
MEMORY = Path("/dev/shm")  # noqa: S108  a directory of its own is created there
_ROOM = 2 << 30
_UNCACHED = "PYTHONDONTWRITEBYTECODE"
"""With this variable, Python would compile every module that changed in every run: 0.25 s of CPU."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and of CPU (user and system), from start to end of a process.

    ``output`` is what it printed, ``parts`` are seconds of its wall clock worth a mention.
    """

    wall: float
    cpu: float
    output: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """The costs of two competitors, measured in turns on the same machine at the same time."""

    ours: tuple[Cost, ...]
    other: tuple[Cost, ...]

    @property
    def ratio(self) -> float:
        """Median over the turns of pkigen's time / the other's, in wall clock."""
        return median(a.wall / b.wall for a, b in zip(self.ours, self.other, strict=True))


def run(command: Sequence[str], folder: Path, environ: dict[str, str] | None = None) -> Cost:
    """Run a command in a directory; RuntimeError with the end of what it said when it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != _UNCACHED}
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env={**inherited, **(environ or {})}, capture_output=True, check=False
    )
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} exits with {done.returncode}:\n{output}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, used, done.stdout.decode(errors="replace"))


Contender = Callable[[Path], Cost]
"""Does its work in an empty directory and gives what that cost."""


def by_cpu(contender: Contender) -> Contender:
    """Compare CPU instead of wall clock."""

    def measured(folder: Path) -> Cost:
        cost = contender(folder)
        return replace(cost, wall=cost.cpu)

    return measured


@contextmanager
def in_memory(space: Path) -> Iterator[Path]:
    """Yield a directory in a file system in memory, or ``space`` if no such file system has enough room."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < _ROOM:
        yield space
        return
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-", dir=MEMORY) as folder:
        yield Path(folder)


def new_folder(space: Path) -> Path:
    """Create an empty directory. It stays until the whole benchmark ends.

    ext4 passes over inodes that were freed in the last minutes, one by one and for each new file:
    work after a large deletion is several times slower.
    """
    return Path(tempfile.mkdtemp(dir=space))


def in_turns(ours: Contender, other: Contender, space: Path, repeats: int = REPEATS) -> Pair:
    """Both, ``repeats`` times, the one that begins changing from turn to turn; a first try does not count."""
    ours(new_folder(space))
    other(new_folder(space))
    turns = []
    for turn in range(repeats):
        if turn % 2:
            second, first = other(new_folder(space)), ours(new_folder(space))
        else:
            first, second = ours(new_folder(space)), other(new_folder(space))
        turns.append((first, second))
    return Pair(*map(tuple, zip(*turns, strict=True)))


def peak_memory(command: Sequence[str], folder: Path) -> float | None:
    """Peak memory in MiB of a command and all its children together; None if the system does not report it.

    Counted as proportional set size, sampled every 20 ms: what processes share counts once.
    """
    if not sys.platform.startswith("linux"):
        return None
    peak = 0
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        ended = threading.Event()
        waiter = threading.Thread(target=_wait_for, args=(process, ended))
        waiter.start()
        while not ended.wait(0.02):
            peak = max(peak, sum(map(_proportional_kib, _family(process.pid))))
        waiter.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exits with {process.returncode}")
    return peak / 1024


def peak_of_process(pid: int | str) -> float | None:
    """Peak memory in MiB that one process ever held (Linux's VmHWM); None if the system does not report it.

    Unlike ru_maxrss, it does not include what the parent process held before it started the program.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _wait_for(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _family(pid: int) -> list[int]:
    """A process and all its descendants, as far as they live."""
    result = [pid]
    for parent in result:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                result += map(int, children.read_text().split())
            except OSError:
                continue
    return result


def _proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
