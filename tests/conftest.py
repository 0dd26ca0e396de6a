"""What holds for all tests: real programs are asked for by name, and their absence is counted."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings

from tests import tools

# Property tests run on machines of any speed; in CI they try the same examples every time.
settings.register_profile("pkigen", deadline=None, derandomize=tools.gaps_are_failures(), print_blob=True)
settings.load_profile("pkigen")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or in CI fail, a test whose tools this machine lacks."""
    absent = tools.missing(tuple(name for mark in item.iter_markers("needs") for name in mark.args))
    if absent and tools.gaps_are_failures():
        pytest.fail(f"CI=true, and this test {tools.reason(absent)}", pytrace=False)
    if absent:
        pytest.skip(tools.reason(absent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests did not run for want of which tool."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = Counter(entry[2].removeprefix("Skipped: ") for entry in skipped if isinstance(entry, tuple))
    for text, count in sorted(reasons.items()):
        if text.startswith("needs "):
            terminalreporter.write_line(f"{count} tests did not run: {text}", yellow=True)
