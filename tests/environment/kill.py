"""Run a program that kills itself at a chosen event, so that the kill does not depend on speed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Audit events of Python: each one precedes a change of the disk or lies between two of them. Each run is a
# fork of a process that has imported all modules, because the events of imports differ from run to run.
_PROGRAM = """
import contextlib, importlib, json, os, signal, sys
results = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
kill_at = count = 0
def count_event(event, _arguments):
    global count
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"):
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
def run_body(arguments, at):
    global kill_at, count
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            sys.argv[1:] = arguments
            kill_at, count = at, 0
            exec(sys.argv[0], globals())
            report = json.dumps([count, list(sys.modules)]).encode()
            kill_at = 0
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(report)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        report = pipe.read()
    exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return exit_code, *(json.loads(report) if report else (0, []))
sys.argv = sys.argv[1:]
sys.addaudithook(count_event)
for line in sys.stdin:
    arguments, at = json.loads(line)
    exit_code, events, modules = run_body(arguments, at)
    for module in modules:
        with contextlib.suppress(ImportError):  # some are not modules of a file
            importlib.import_module(module)
    print(exit_code, events, file=results)
"""

Run = Callable[..., tuple[int, int]]
"""``run(*arguments, kill_at=NUMBER)`` returns the exit code and the number of events (0 if killed)."""


@contextmanager
def program(body: str) -> Iterator[Run]:
    """Yield a function that runs ``body`` (Python source) and kills it at an event; 0 for never.

    The first run is for the imports: its number of events is that of no other run.
    """
    command = [sys.executable, "-c", _PROGRAM, body]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        requests, results = process.stdin, process.stdout
        assert requests is not None
        assert results is not None

        def run(*arguments: str | Path, kill_at: int) -> tuple[int, int]:
            print(json.dumps([[*map(str, arguments)], kill_at]), file=requests, flush=True)
            exit_code, events = map(int, results.readline().split())
            return exit_code, events

        yield run
