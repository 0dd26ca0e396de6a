"""Worker processes return results in order, and end whatever happens to one of them or to the caller."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from pkigen.environment.build import worker_processes
from pkigen.environment.build.worker_processes import call_in_processes
from pkigen.errors import EnvironmentFailure

START_METHODS = [one for one in ("fork", "spawn") if one in multiprocessing.get_all_start_methods()]
_LARGE = 32 << 20
"""Bytes that take a process a while to write into a pipe."""


def _square(number: int) -> int:
    return number * number


def _large(_: int) -> bytes:
    return bytes(_LARGE)


def _fail(number: int) -> int:
    raise ValueError(f"no {number}")


def _return_a_lock(_: int) -> object:
    return threading.Lock()


def _be_killed_while_returning(_: int) -> bytes:
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return bytes(2 * _LARGE)


@pytest.mark.parametrize("start_method", START_METHODS)
def test_results_come_in_the_order_of_the_items(monkeypatch: pytest.MonkeyPatch, start_method: str) -> None:
    monkeypatch.setattr(worker_processes, "_START_METHOD", start_method)
    results = call_in_processes(_square, range(500), count=3, ahead=4)
    assert list(results) == [(number, number * number) for number in range(500)]


def test_only_a_few_items_are_read_ahead() -> None:
    numbers = count()
    with closing(call_in_processes(_square, numbers, count=2, ahead=5)) as results:
        assert next(results) == (0, 0)
        assert next(numbers) == 6


@pytest.mark.parametrize("times", range(3))
def test_a_loop_that_ends_early_ends_the_processes_while_they_return_results(times: int) -> None:
    with closing(call_in_processes(_large, range(100), count=4, ahead=8)) as results:
        assert len(next(results)[1]) == _LARGE
        assert len(multiprocessing.active_children()) == 4
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_while_it_returns_a_result_is_an_error_not_a_wait() -> None:
    results = call_in_processes(_be_killed_while_returning, range(3), count=2, ahead=2)
    with pytest.raises(EnvironmentFailure, match=r"worker process was killed.*fewer --jobs"):
        list(results)
    assert multiprocessing.active_children() == []


def test_an_exception_is_raised_here_with_its_place_in_the_process() -> None:
    results = call_in_processes(_fail, range(3), count=2, ahead=2)
    with pytest.raises(ValueError, match="no 0") as raised:
        list(results)
    assert Path(__file__).name in raised.value.__notes__[0]


def test_a_result_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(TypeError, match="pickle"):
        list(call_in_processes(_return_a_lock, range(3), count=2, ahead=2))


_interrupt = threading.Event()


def _interrupt_fork() -> None:
    if _interrupt.is_set():
        _interrupt.clear()
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(START_METHODS[0] != "fork", reason="fork() is of POSIX")
def test_ctrl_c_while_a_process_starts_is_not_lost() -> None:
    os.register_at_fork(before=_interrupt_fork)
    _interrupt.set()
    with pytest.raises(KeyboardInterrupt):
        list(call_in_processes(_square, range(3), count=2, ahead=2))
    assert not _interrupt.is_set()
    assert multiprocessing.active_children() == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
