"""Runs mutated inputs: bounded in time and memory, every input from its number alone."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

from fuzz.mutations import mutate
from fuzz.targets import BINARY, SEEDS, TEXT, Target, name_of
from pkigen.documents import shipped

LONGEST = 2.0
"""CPU seconds of one input."""
MOST_MEMORY = 600
"""MiB of a process in which nothing but this runs."""


@dataclass(frozen=True)
class Outcome:
    """What became of some inputs; findings are (number, words, input)."""

    inputs: int = 0
    slowest: float = 0.0
    slowest_number: int = -1
    peak: float = 0.0
    findings: tuple[tuple[int, str, bytes], ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        slower = max(self, other, key=lambda outcome: outcome.slowest)
        return Outcome(
            self.inputs + other.inputs,
            slower.slowest,
            slower.slowest_number,
            max(self.peak, other.peak),
            self.findings + other.findings,
        )


@cache
def load_seeds() -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The seeds of binary and PEM files, and those of YAML."""
    binary = tuple(path.read_bytes() for path in sorted(SEEDS.iterdir()) if path.suffix != ".txt")
    folders = (shipped.folder(), shipped.requirement_set_folder())
    text = tuple(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.yaml")))
    return binary, text


def run(
    seed: int,
    numbers: Iterable[int],
    begin: Callable[[int], None] = lambda _number: None,
    others: float = 0,
) -> Outcome:
    """Return the outcome of the inputs of some numbers; ``begin`` is called with each of them before.

    ``others`` are the MiB that the process may need for other things.
    """
    total, most = Outcome(), MOST_MEMORY + others
    fast = Path("/dev/shm")  # noqa: S108  # a directory of the test's own is made in it
    with (
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory(prefix="pkigen-fuzz-", dir=fast if fast.is_dir() else None) as folder,
    ):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", UserWarning)  # its users would see it
        for number in numbers:
            begin(number)
            data, target = made(seed, number)
            total = total + _run_one(number, data, target, Path(folder), most)
    return total


def made(seed: int, number: int) -> tuple[bytes, Target]:
    """The input of a number, and the target that it is for."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311  # inputs that repeat, not secrets
    binary, text = load_seeds()
    seeds, targets = (text, TEXT) if rng.random() < 0.15 else (binary, BINARY)
    return mutate(rng, rng.choice(seeds), seeds), rng.choice(targets)


def _run_one(number: int, data: bytes, target: Target, folder: Path, most: float) -> Outcome:
    before, started = peak_memory(), time.process_time()
    words = feed(data, target, folder)
    seconds, peak = time.process_time() - started, peak_memory()
    if not words and peak > max(most, before):
        words = f"{name_of(target)}: {peak:.0f} MiB, {peak - before:.0f} of them by this input"
    return Outcome(1, seconds, number, peak, ((number, words, data),) if words else ())


def peak_memory() -> float:
    """MiB of this process at its peak."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024 / 1024


def feed(data: bytes, target: Target, folder: Path) -> str:
    """What an input shows that must not happen; "" when it is handled.

    One that took too long is fed once more: a busy machine is not the input's fault.
    """
    for _ in range(2):
        with contextlib.suppress(_TooLong), _native_words(folder) as output:
            words = _feed(data, target, folder)
            os.lseek(output, 0, os.SEEK_SET)
            native = os.read(output, 300).decode("utf-8", "replace")
            return words or (f"{name_of(target)}: native code writes {native}" if native else "")
    return f"{name_of(target)}: it takes more than {LONGEST} s"


@contextlib.contextmanager
def _native_words(folder: Path) -> Iterator[int]:
    """A file for what is written to stderr behind Python's back."""
    remaining, output = os.dup(2), os.open(folder / "stderr", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 2)
    try:
        yield output
    finally:
        os.dup2(remaining, 2)
        os.close(remaining)
        os.close(output)


def _feed(data: bytes, target: Target, folder: Path) -> str:
    started = time.process_time()
    earlier = signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        target(data, folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # a panic in native code is no Exception
        if time.process_time() - started < LONGEST:
            return f"{name_of(target)}: {type(error).__name__}: {str(error)[:300]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)
    if time.process_time() - started >= LONGEST:
        raise _TooLong
    return ""


class _TooLong(BaseException):
    """The time of an input is over; nothing in the program may take it for an error of its own."""


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise _TooLong
