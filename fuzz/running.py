"""Runs mutated inputs: bounded in time and memory, every input from its number alone."""

from __future__ import annotations

import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

from fuzz.mutations import mutate
from fuzz.targets import BINARY, TEXT, Finding, name_of
from pkigen.profile import shipped

SEEDS = Path(__file__).parent / "seeds"
LONGEST = 2.0
"""Seconds of one input."""
MOST_MEMORY = 700
"""MiB of the whole process, at its peak."""


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
def _seeds() -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The seeds of binary and PEM files, and those of YAML."""
    binary = tuple(path.read_bytes() for path in sorted(SEEDS.iterdir()) if path.suffix != ".txt")
    folders = (shipped.folder(), shipped.requirement_set_folder())
    text = tuple(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.yaml")))
    return binary, text


def run(seed: int, numbers: Iterable[int]) -> Outcome:
    """The outcome of the inputs of some numbers."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    total = Outcome()
    with tempfile.TemporaryDirectory(prefix="pkigen-fuzz-") as folder:
        for number in numbers:
            data, target = made(seed, number)
            total = total + _run_one(number, data, target, Path(folder))
    return total


def run_batch(task: tuple[int, int, int]) -> Outcome:
    """As ``run``, for (seed, first number, count): what a worker process is given."""
    seed, first, count = task
    return run(seed, range(first, first + count))


def made(seed: int, number: int) -> tuple[bytes, Callable[[bytes, Path], None]]:
    """The input of a number, and the target that it is for."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311  # inputs that repeat, not secrets
    binary, text = _seeds()
    seeds, targets = (text, TEXT) if rng.random() < 0.15 else (binary, BINARY)
    return mutate(rng, rng.choice(seeds), seeds), rng.choice(targets)


def _run_one(number: int, data: bytes, target: Callable[[bytes, Path], None], folder: Path) -> Outcome:
    started = time.perf_counter()
    words = feed(data, target, folder)
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024 / 1024
    if not words and peak > MOST_MEMORY:
        words = f"{name_of(target)}: {peak:.0f} MiB"
    return Outcome(1, seconds, number, peak, ((number, words, data),) if words else ())


def feed(data: bytes, target: Callable[[bytes, Path], None], folder: Path) -> str:
    """What an input shows that must not happen; "" when it is handled."""
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        target(data, folder)
    except Finding as error:
        return str(error)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{name_of(target)}: {type(error).__name__}: {str(error)[:300]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise Finding(f"it takes more than {LONGEST} s")
