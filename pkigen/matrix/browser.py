"""Browsers as validators: one process opens the page of each case at the TLS endpoint of `pkigen serve`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from pkigen.clock import utc_now
from pkigen.errors import EnvironmentFailure
from pkigen.matrix.validator import SECONDS, Answer, MatrixCase, PartVerdict, answer

MAX_AGE = timedelta(hours=1)
"""A browser uses the clock of the machine: the times of older environments would have another meaning."""
_STARTING = 60
"""Timeout in seconds of the start."""


class Browser(Protocol):
    """A running browser with a profile of its own."""

    def connect(self, seconds: float) -> None:
        """Wait until the browser has started; the same errors as ``open``."""

    def open(self, case: MatrixCase, seconds: float) -> str | None:
        """Return the error of a page, "" if it opens, None if the browser cannot request it.

        Raises TimeoutError after ``seconds``, and EOFError or ConnectionError if the browser has ended.
        """

    def close(self) -> None:
        """End the browser."""


def judge_in_browser(
    start: Callable[[Path, Sequence[MatrixCase]], Browser], cases: Sequence[MatrixCase]
) -> dict[str, Answer]:
    """Return the answers to the cases that a browser can reach; it is restarted if it hangs or ends.

    ``start`` starts it for these cases, with an empty directory for its profile.
    """
    reachable = [case for case in cases if _is_reachable(case)]
    answers = {}
    while reachable:
        with TemporaryDirectory(prefix="pkigen-", ignore_cleanup_errors=True) as directory:
            browser = start(Path(directory), reachable)
            try:
                _connect(browser)
                while reachable:
                    case = reachable.pop(0)
                    error = browser.open(case, SECONDS)
                    if error is not None:
                        answers[case.name] = _answer(error)
            except TimeoutError:
                answers[case.name] = _answer(f"timed out after {SECONDS} s")
            except (EOFError, ConnectionError):
                answers[case.name] = _answer("the browser ends")
            finally:
                browser.close()
    return answers


def _connect(browser: Browser) -> None:
    try:
        browser.connect(_STARTING)
    except (TimeoutError, EOFError, ConnectionError) as error:
        raise EnvironmentFailure("the browser does not start, or is not the supported version") from error


def _answer(error: str) -> Answer:
    return answer({"path": PartVerdict(not error, error)})


def _is_reachable(case: MatrixCase) -> bool:
    """Return whether the endpoint presents the case for its host name, at a time that is now."""
    if case.tls is None or case.host is None or abs(utc_now() - case.at) > MAX_AGE:
        return False
    try:
        ip_address(case.host)
    except ValueError:
        return True
    return False


def start_browser(command: Sequence[str | Path], directory: Path) -> subprocess.Popen[bytes]:
    """Start a browser whose home directory is ``directory``, with pipes to its stdin and stdout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**inherited, "HOME": str(directory)},
        start_new_session=True,
    )


def end_browser(process: subprocess.Popen[bytes]) -> None:
    """End a browser with the processes that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def remaining(deadline: float) -> float:
    """Return the seconds until a deadline of the monotonic clock; TimeoutError if it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
