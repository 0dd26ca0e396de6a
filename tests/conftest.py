"""Hooks for all tests: required programs, signal handlers, and processes that a failed test left running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests import tools

# Property tests run on machines of any speed; in CI they try the same examples every time.
settings.register_profile("pkigen", deadline=None, derandomize=tools.gaps_are_failures(), print_blob=True)
settings.load_profile("pkigen")

# Tests start pkigen more than a thousand times. With this variable, which container images set, each process
# would compile every module again, which takes as long as many of the commands.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# The width of the examples in the documentation; without it, output to a pipe is not wrapped.
os.environ["COLUMNS"] = "80"
sys.dont_write_bytecode = False

# A shell starts a background job (`nohup make test &`) with SIGINT ignored, and every child process inherits
# that: programs that a test interrupts would never end.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_LARGE = 8 << 30
"""A file system in memory must have so much space: all tests together write about a gigabyte."""


SLOWEST = (
    "test_docs.py",
    "faults/test_recorded_verdicts.py",
    "environment/test_shipped.py",
    "faults/test_catalogue.py",
    "requirements/test_shipped_sets.py",
    "environment/test_killed.py",
    "store/test_killed.py",
    "matrix/test_shipped.py",
    "export/test_page.py",
    "export/test_catalogue.py",
    "test_house.py",
    "faults/test_places.py",
    "faults/test_own_findings.py",
    "report/test_page.py",
)
"""The files that take longest, slowest first: two workers end at about the same time if these start first."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the directories of tests in memory, on Linux: builds flush what they write to the disk.

    The option --basetemp=DIRECTORY puts them elsewhere, and keeps them when the tests have ended.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput") and _has_space_in_memory():
        config.option.basetemp = tempfile.mkdtemp(prefix="pkigen-tests-", dir=_IN_MEMORY)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # pytest-xdist would start the files with the most tests first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests of the slowest files to the front, and keep the order of all others."""
    places = {tools.ROOT / "tests" / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def _has_space_in_memory() -> bool:
    if not os.path.ismount(_IN_MEMORY) or not os.access(_IN_MEMORY, os.W_OK):
        return False
    space = os.statvfs(_IN_MEMORY)
    return space.f_bavail * space.f_frsize >= _LARGE and not space.f_flag & os.ST_NOEXEC


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or in CI fail, a test whose tools this machine lacks."""
    absent = tools.missing(tuple(name for mark in item.iter_markers("needs") for name in mark.args))
    if absent and tools.gaps_are_failures():
        pytest.fail(f"CI=true, and this test {tools.reason(absent)}", pytrace=False)
    if absent:
        pytest.skip(tools.reason(absent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped because of which missing programs, and how to install them all."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = Counter(entry[2].removeprefix("Skipped: ") for entry in skipped if isinstance(entry, tuple))
    absent = {text: count for text, count in sorted(reasons.items()) if text.startswith("needs ")}
    for text, count in absent.items():
        terminalreporter.write_line(f"{count} tests did not run: {text}", yellow=True)
    if absent:
        commands = []
        for way in ("apt install", "pip install"):
            packages = {
                name
                for text in absent
                for match in re.findall(rf"{way} ([^,)]+)", text)
                for name in match.split()
            }
            commands += [" ".join((way, *sorted(packages)))] if packages else []
        terminalreporter.write_line(
            f"{sum(absent.values())} tests in all did not run, because programs are missing. "
            f"To run them: {'; '.join(commands)}",
            yellow=True,
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Kill the pkigen processes that a failed or interrupted test left running (Linux only)."""
    if config.rootpath != tools.ROOT:
        return  # a session inside a test
    for tasks in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            if b"\0-m\0pkigen\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
