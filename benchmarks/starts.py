"""Commands that do little, many times a day: CPU of the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.measure import REPEATS, new_folder, run
from benchmarks.rows import Row


def help_text(limit: float, space: Path) -> Iterator[Row]:
    """``pkigen --help``."""
    yield _row("pkigen --help", (*contenders.PKIGEN, "--help"), new_folder(space), limit)


def up_to_date(profiles: tuple[str, ...], limit: float, space: Path) -> Iterator[Row]:
    """``pkigen build`` of a small environment that is up to date."""
    for profile in profiles:
        folder = new_folder(space)
        command = (*contenders.PKIGEN, "build", profile)
        run(command, folder)
        yield _row(f"build again, {profile}", command, folder, limit)


def _row(work: str, command: tuple[str, ...], folder: Path, limit: float) -> Row:
    run(command, folder)
    costs = [run(command, folder).cpu for _ in range(REPEATS)]
    cpu, measured = median(costs), {"ours cpu": costs}
    goal = f"at most {limit:g} s"
    return Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", goal, cpu <= limit, {**measured})


measurements = (
    ("start-up", partial(help_text, 0.18)),
    ("small build again", partial(up_to_date, ("minimal", "defender-iot"), 0.45)),
)
