"""Reasons of operating system errors: one table for all messages."""

from __future__ import annotations

import errno
import os

import pytest

from pkigen.os_errors import os_error_reason
from tests.tools import ROOT


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full; make room and run the command again"),
        (errno.EADDRINUSE, "another program uses the port"),
        (errno.ENOENT, os.strerror(errno.ENOENT)),
    ],
)
def test_a_reason_has_a_remedy_or_is_that_of_the_system(number: int, reason: str) -> None:
    assert os_error_reason(OSError(number, os.strerror(number), "some/path")) == reason


def test_an_error_without_a_number_has_its_text_or_its_type() -> None:
    assert os_error_reason(OSError("timed out")) == "timed out"
    assert os_error_reason(TimeoutError()) == "TimeoutError"


def test_no_message_uses_the_text_of_the_system_directly() -> None:
    files = [path for path in (ROOT / "pkigen").rglob("*.py") if path.name != "os_errors.py"]
    direct = [str(path.relative_to(ROOT)) for path in files if "error.strerror" in path.read_text()]
    assert direct == []
