"""How far a build is: a bar on a terminal, now and then a line in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pkigen.cli._console import is_terminal, print_message

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_LINE_SECONDS = 5.0


class Meter(Protocol):
    """Where a build tells how far it is (``pkigen.environment`` calls it)."""

    def start(self, total: int, what: str) -> None: ...
    def advance(self, steps: int) -> None: ...
    def finish(self) -> None: ...


@contextmanager
def meter() -> Iterator[Meter]:
    """A meter on stderr; it has left the terminal as it was when the block ends, however it does."""
    shown = ProgressBar() if is_terminal(sys.stderr) else ProgressLines()
    try:
        yield shown
    finally:
        shown.finish()


class ProgressLines:
    """Plain lines: one at the start, one every few seconds, one at the end."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._what = ""
        self._begun = self._last = 0.0

    def start(self, total: int, what: str) -> None:
        self._total, self._what, self._done = total, what, 0
        self._begun = self._last = time.monotonic()
        print_message(f"{what}: {total:,} to do")

    def advance(self, steps: int) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS and self._done < self._total:
            self._last = now
            rate = self._done / (now - self._begun)
            left = (self._total - self._done) / rate if rate else 0
            print_message(
                f"{self._what}: {self._done:,} of {self._total:,}, {rate:,.1f}/s, {left:,.0f} s left"
            )

    def finish(self) -> None:
        if self._what:
            seconds = time.monotonic() - self._begun
            print_message(f"{self._what}: {self._done:,} of {self._total:,} done in {seconds:.1f} s")
        self._what = ""


class ProgressBar:
    """A progress bar with rate and remaining time, gone when it is finished."""

    def __init__(self) -> None:
        self._progress: RichProgress | None = None
        self._task: TaskID | None = None

    def start(self, total: int, what: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.finish()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=8,
        )
        self._task = self._progress.add_task(what, total=total, rate="")
        self._progress.start()

    def advance(self, steps: int) -> None:
        if self._progress is None or self._task is None:
            return
        self._progress.advance(self._task, steps)
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, rate=f"{speed:,.1f}/s" if speed else "")

    def finish(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress = None
