"""Worker processes that call a function, and end with the loop over their results, however it ends.

The standard library's ``ProcessPoolExecutor`` waits forever if one of its processes is killed while it
returns a result, because the others keep their common pipe open. Here each process has a pipe of its own,
which the system closes when the process ends.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, TypeVar

from pkigen.errors import EnvironmentFailure

Item = TypeVar("Item")
Result = TypeVar("Result")

_COLLECT_AFTER = 500_000
# Only fork shares the imported modules; elsewhere it is unsafe or unavailable.
_START_METHOD = "fork" if sys.platform == "linux" else "spawn"


def call_in_processes(
    call: Callable[[Item], Result], items: Iterable[Item], *, count: int, ahead: int
) -> Generator[tuple[Item, Result], None, None]:
    """Yield each item with the result of ``call``, in order, from ``count`` worker processes.

    At most ``ahead`` + 1 items are read before the result of the first of them is yielded. Close the
    generator to end the processes early. An exception of ``call`` is raised here. Raises EnvironmentFailure
    if one of the processes was killed from outside.
    """
    idle: SimpleQueue[Connection] = SimpleQueue()
    processes: list[BaseProcess] = []
    threads = ThreadPoolExecutor(count)
    try:
        # Before the first thread starts: fork() copies held locks, but not the threads that release them.
        with _postponed_signals():
            for _ in range(count):
                idle.put(_start(call, processes))
        running: deque[tuple[Item, Future[Result]]] = deque()
        for item in items:
            running.append((item, threads.submit(_call_in_process, idle, item)))
            if len(running) > ahead:
                first, future = running.popleft()
                yield first, future.result()
        for item, future in running:
            yield item, future.result()
    finally:
        # Idle processes have nothing to lose; the threads of the others see the end of their pipe.
        for process in processes:
            process.kill()
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()


@contextmanager
def _postponed_signals() -> Iterator[None]:
    """Postpone Ctrl-C and SIGTERM until processes have started.

    Their exceptions would be lost in the functions that Python calls at fork(), or end the new process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not None  # a handler outside Python, which could not be restored
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for one in received[:1]:
            signal.raise_signal(one)


def _start(call: Callable[..., object], processes: list[BaseProcess]) -> Connection:
    """Start a process that answers calls, append it to ``processes``, and return the pipe to it."""
    context: Any = multiprocessing.get_context(_START_METHOD)
    ours: Connection
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(call, theirs), daemon=True)
    process.start()
    processes.append(process)
    theirs.close()  # before the next process starts, which would keep it open
    return ours


def _call_in_process(idle: SimpleQueue[Connection], item: object) -> Any:
    """Let an idle process call its function with an item: return the result, or raise what it raised."""
    connection = idle.get()
    try:
        connection.send(item)
        error, result = connection.recv()
    except (EOFError, OSError) as error:
        raise EnvironmentFailure(
            "a worker process was killed, possibly because the system ran out of memory; "
            "run the build again with fewer --jobs"
        ) from error
    finally:
        idle.put(connection)
    if error is not None:
        raise error
    return result


def _answer(call: Callable[[Any], object], connection: Connection) -> None:
    """Answer calls until the process is killed or its parent ends; the main function of the process."""
    # Ctrl-C signals the whole process group; the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Objects that were imported before the fork are never freed: exclude them from collections.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent has ended
        while True:
            _send(connection, *_outcome(call, connection.recv()))


def _outcome(call: Callable[[Any], object], item: object) -> tuple[BaseException | None, object]:
    """Return the exception that a call raised, or None and its result."""
    try:
        return None, call(item)
    except BaseException as error:  # noqa: BLE001  a panic in native code is not an Exception
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return error, None


def _send(connection: Connection, error: BaseException | None, result: object) -> None:
    """Send what ``_outcome`` returned, or the reason why it cannot be pickled."""
    try:
        connection.send((error, result))
    except OSError:
        raise
    except Exception as problem:  # noqa: BLE001  objects refuse to be pickled with any exception
        connection.send((problem, None))


def _exit_with_parent() -> None:
    """Exit when the parent ends; otherwise orphaned processes would wait forever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
