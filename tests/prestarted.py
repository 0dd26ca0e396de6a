"""A ``pkigen`` command that a prestarted Python runs: each call is a process of its own, forked from it.

Importing pkigen takes longer than most commands of the documentation. The prestarted process has imported
all of it; for each call it forks a process with the caller's arguments, directory, environment and streams.
The caller waits for that process, forwards signals to it, and ends with its exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any

import pkigen
from pkigen.cli import main
from pkigen.requirements.library import every_set
from tests.tools import ROOT

_LARGEST = 1 << 20
_STREAMS = (0, 1, 2)
_CALL = """\
import json, os, signal, socket, sys
if "LD_PRELOAD" in os.environ:  # faketime: the process itself must load it
    os.execv({python!r}, [{python!r}, "-m", "pkigen", *sys.argv[1:]])
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda received, _: connection.sendall(bytes([received])))
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(connection, [b"%8d" % len(call)], [0, 1, 2])
connection.sendall(call)
code = int(connection.recv(8) or 3)
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


@cache
def directory() -> Path:
    """Return a directory with the ``pkigen`` command for PATH; its prestarted process ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="pkigen-"))
    address = str(folder / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    ended, alive = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.prestarted", str(listener.fileno()), str(ended)],
        cwd=ROOT,
        pass_fds=(listener.fileno(), ended),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    listener.close()
    os.close(ended)
    command = folder / "pkigen"
    call = command.with_suffix(".py")
    call.write_text(_CALL.format(python=sys.executable, address=address), "utf-8")
    # A path in a #! line must not be long or contain spaces.
    command.write_text(f'#!/bin/sh\nexec {quote(sys.executable)} -IS {quote(str(call))} "$@"\n', "utf-8")
    command.chmod(0o755)

    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:  # a forked process has inherited this function
            os.close(alive)
            server.wait()
            shutil.rmtree(folder)

    atexit.register(end)
    return folder


def _serve(listener: socket.socket, ended: int) -> int:
    """Fork a process for each call until the other end of the pipe ``ended`` is closed.

    Return the exit code, of this process or of the command in a forked one.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sources: list[Any] = [listener, ended]
    while ended not in select.select(sources, [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os.close(ended)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _run(connection)
        connection.close()
    return 0


def _run(connection: socket.socket) -> int:
    """Run the command of a call in a process of its own, and report its exit code to the caller."""
    size, streams, _, _ = socket.recv_fds(connection, 8, len(_STREAMS))
    call = b""
    while len(call) < int(size):
        call += connection.recv(_LARGEST)
    process = os.fork()
    if process == 0:
        connection.close()
        return _command(call, streams)
    for stream in streams:
        os.close(stream)
    exited = os.pidfd_open(process)
    sources: list[Any] = [connection, exited]
    while exited not in select.select(sources, [], [])[0]:
        received = connection.recv(1)
        os.kill(process, received[0] if received else signal.SIGTERM)
        if not received:  # the caller was killed
            sources.remove(connection)
    _, status = os.waitpid(process, 0)
    if connection in sources:
        connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _command(call: bytes, streams: list[int]) -> int:
    arguments, folder, environ = json.loads(call)
    for number, stream in zip(_STREAMS, streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.argv = ["pkigen", *arguments]
    return main()


def _import_all() -> None:
    """Import every module of pkigen, and read the requirement sets."""
    for module in pkgutil.walk_packages(pkigen.__path__, "pkigen."):
        if not module.name.endswith(("__main__", "_worker")):
            importlib.import_module(module.name)
    every_set()
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    sys.exit(_serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
