"""How far a build is: lines in a pipe, a bar on a terminal, never a reason to fail."""

from __future__ import annotations

import io
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pkigen.cli._progress import ProgressBar, ProgressLines, elapsed_time, meter
from tests.cli.conftest import Cli


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as the one element of a list."""
    now = [100.0]
    monkeypatch.setattr("pkigen.cli._progress.time.monotonic", lambda: now[0])
    return now


def test_a_pipe_gets_lines_at_the_start_at_intervals_and_at_the_end(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with meter() as progress:
        assert isinstance(progress, ProgressLines)
        progress.start(1000, "certificates")
        for _ in range(9):
            clock[0] += 2
            progress.advance(100)
        progress.advance(100)
    assert capsys.readouterr().err.splitlines() == [
        "certificates: 1,000 to do",
        "certificates: 300 of 1,000, 50.0/s, 14 s remaining",
        "certificates: 600 of 1,000, 50.0/s, 8 s remaining",
        "certificates: 900 of 1,000, 50.0/s, 2 s remaining",
        "certificates: 1,000 of 1,000 done in 18.0 s",
    ]


def test_a_failed_build_reports_its_progress(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with meter() as progress:
            progress.start(10, "certificates")
            progress.advance(3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "3 of 10" in capsys.readouterr().err


def test_no_progress_is_printed_without_work(capsys: pytest.CaptureFixture[str]) -> None:
    with meter() as progress:
        progress.advance(1)
        progress.finish()
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_does_not_stop_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    with meter() as progress:
        progress.start(2, "certificates")
        progress.advance(2)


def test_a_terminal_gets_a_bar_and_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with meter() as progress:
        assert isinstance(progress, ProgressBar)
        progress.start(10, "certificates")
        progress.advance(5)
    output = terminal.getvalue()
    assert "certificates" in output
    assert "5/10" in output
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert output.rindex(show) > output.rindex(hide)


def test_the_bar_has_no_color_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    with meter() as progress:
        progress.start(10, "certificates")
        progress.advance(5)
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|38;5|9[0-7])", terminal.getvalue())


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with meter() as progress:
        assert isinstance(progress, ProgressLines)


class _WatchedTerminal(_Terminal):
    """A terminal that reports the first output."""

    def __init__(self) -> None:
        super().__init__()
        self.has_output = threading.Event()

    def write(self, text: str) -> int:
        self.has_output.set()
        return super().write(text)


def test_a_terminal_shows_the_elapsed_time_of_long_work_and_clears_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = _WatchedTerminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("pkigen.cli._progress._UPDATE_SECONDS", 0.001)
    with elapsed_time("reading"):
        assert terminal.has_output.wait(10)
    assert terminal.getvalue().startswith("\r\x1b[Kreading: 0 s")
    assert terminal.getvalue().endswith("s\r\x1b[K")


def test_a_terminal_does_not_show_short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("pkigen.cli._progress._UPDATE_SECONDS", 1000.0)
    with elapsed_time("reading"):
        pass
    assert not terminal.getvalue()


@pytest.mark.parametrize(
    ("command", "work"),
    [
        ("show", "reading"),
        ("validate", "validating"),
        ("check", "checking"),
        ("verify", "verifying"),
        ("convert", "converting"),
    ],
)
def test_slow_commands_show_the_elapsed_time(
    cli: Cli, profile: Path, command: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = list[str]()

    @contextmanager
    def record(work: str) -> Iterator[None]:
        works.append(work)
        yield

    monkeypatch.setattr(f"pkigen.cli.{command}.elapsed_time", record)
    cli(command, profile)
    assert works == [work]


def test_a_pipe_gets_no_elapsed_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.cli._progress._UPDATE_SECONDS", 0.0)
    with elapsed_time("reading"):
        pass
    assert not capsys.readouterr().err
