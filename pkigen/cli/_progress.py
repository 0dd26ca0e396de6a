"""Progress on stderr: of a build, a bar on a terminal or lines in a pipe; of other work, the elapsed time."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from pkigen.cli._console import is_terminal, print_message

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_LINE_SECONDS = 5.0
_UPDATE_SECONDS = 1.0
_CLEAR_LINE = "\r\x1b[K"


class Meter(Protocol):
    """Progress callbacks that ``pkigen.environment`` calls during a build."""

    def start(self, total: int, what: str) -> None: ...
    def advance(self, steps: int) -> None: ...
    def finish(self) -> None: ...


@contextmanager
def meter() -> Iterator[Meter]:
    """Yield a meter that writes to stderr; it restores the terminal when the block ends, even by an error."""
    progress = ProgressBar() if is_terminal(sys.stderr) else ProgressLines()
    try:
        yield progress
    finally:
        progress.finish()


@contextmanager
def elapsed_time(work: str) -> Iterator[None]:
    """Show the name of the work and its elapsed time on a terminal if the block takes more than a second.

    Do not print to the terminal in the block.
    """
    if not is_terminal(sys.stderr):
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_show_elapsed_time, args=(work, sys.stderr, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _show_elapsed_time(work: str, stream: TextIO, ended: threading.Event) -> None:
    start, is_shown = time.monotonic(), False
    while not ended.wait(_UPDATE_SECONDS):
        is_shown = True
        stream.write(f"{_CLEAR_LINE}{work}: {time.monotonic() - start:.0f} s")
        stream.flush()
    if is_shown:
        stream.write(_CLEAR_LINE)
        stream.flush()


class ProgressLines:
    """Progress as plain lines: one at the start, one every few seconds, one at the end."""

    def __init__(self) -> None:
        self._total = self._completed = 0
        self._what = ""
        self._started = self._last_line = 0.0

    def start(self, total: int, what: str) -> None:
        self._total, self._what, self._completed = total, what, 0
        self._started = self._last_line = time.monotonic()
        print_message(f"{what}: {total:,} to do")

    def advance(self, steps: int) -> None:
        self._completed += steps
        now = time.monotonic()
        if now - self._last_line >= _LINE_SECONDS and self._completed < self._total:
            self._last_line = now
            rate = self._completed / (now - self._started)
            remaining = (self._total - self._completed) / rate if rate else 0
            counts = f"{self._completed:,} of {self._total:,}"
            print_message(f"{self._what}: {counts}, {rate:,.1f}/s, {remaining:,.0f} s remaining")

    def finish(self) -> None:
        if self._what:
            seconds = time.monotonic() - self._started
            print_message(f"{self._what}: {self._completed:,} of {self._total:,} done in {seconds:.1f} s")
        self._what = ""


class ProgressBar:
    """Progress as a bar with the rate and the remaining time; it disappears when it is finished."""

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
