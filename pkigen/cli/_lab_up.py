"""Starts a lab in the foreground or in the background, and stops it."""

from __future__ import annotations

import json as json_
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from pkigen.cli._console import print_line, print_message
from pkigen.cli._lab import format_status, silence_web_server
from pkigen.cli._options import load_profile
from pkigen.errors import EnvironmentFailure, InputError, PkigenError, Refused

if TYPE_CHECKING:
    from pkigen.lab.control import RunningLab

_START_SECONDS = 120.0
_END_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def run_in_foreground(source: str, out: Path, host: str, port: int, *, fresh: bool, json: bool) -> None:
    """Run a lab until SIGINT, SIGTERM or ``pkigen lab down``; ``fresh`` discards its saved state."""
    from pkigen.environment.build.build import build
    from pkigen.environment.build.options import BuildOptions
    from pkigen.lab.appliance.members import lab_settings
    from pkigen.lab.control import control_server, find_running_lab, owner_status
    from pkigen.lab.startup import running_lab
    from pkigen.lab.state import already_running_error
    from pkigen.lab.web import web

    profile = load_profile(source)
    if find_running_lab(out / profile.name) is not None:
        raise already_running_error(out / profile.name)
    lab_settings(profile)
    silence_web_server()
    _prepare_state(out / profile.name, fresh=fresh)
    print_message(f"Building {out / profile.name} ...")
    result = build(profile, out, BuildOptions(force=fresh))
    # SimpleQueue.put is reentrant. Event.set takes a lock that the interrupted code may hold.
    ended = SimpleQueue[None]()
    previous = {
        one: signal.signal(one, lambda *_: ended.put(None)) for one in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with (
            running_lab(result.folder, profile, web, host=host, port=port, tell=print_message) as lab,
            control_server(lab, lambda: ended.put(None)),
        ):
            status = owner_status(lab)
            print_message("The lab is running. Press Ctrl-C to stop it.")
            print_line(json_.dumps(status) if json else "\n".join(format_status(status)), flush=True)
            _wait(ended)
    finally:
        for one, handler in previous.items():
            signal.signal(one, handler)
    print_message("The lab has stopped.")


def _prepare_state(environment: Path, *, fresh: bool) -> None:
    """Discard the saved state of a lab if ``fresh`` is set, or warn that its clock is not the machine's."""
    from pkigen.lab.state import reset, saved_clock_offset

    if fresh:
        reset(environment)
    elif ahead := saved_clock_offset(environment):
        hours = round(ahead.total_seconds() / 3600)
        print_message(
            f"Warning: the lab keeps its clock, which is {hours // 24} days and {hours % 24} hours ahead. "
            "`pkigen lab up --fresh` or `pkigen lab reset` resets it."
        )


def _wait(ended: SimpleQueue[None]) -> None:
    """Wait for an item. Poll, because a signal delivered to another thread does not interrupt get()."""
    while True:
        with suppress(Empty):
            ended.get(timeout=_LOOK_SECONDS)
            return


def start_detached(source: str, out: Path, host: str, port: int, *, fresh: bool) -> dict[str, Any]:
    """Start a lab in its own process, and return its status when it is ready."""
    from pkigen.lab.control import find_running_lab
    from pkigen.lab.state import already_running_error

    folder = out / load_profile(source).name
    if find_running_lab(folder) is not None:
        raise already_running_error(folder)
    command = [sys.executable, "-m", "pkigen", "lab", "up", source, "--out", str(out)]
    command += ["--host", host, "--port", str(port)]
    _prepare_state(folder, fresh=fresh)
    if fresh:
        command.append("--fresh")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + _START_SECONDS
            while time.monotonic() < deadline:
                running = find_running_lab(folder)
                # On Windows, the venv launcher starts Python as a child, so the process IDs differ.
                if running is not None and (running.pid == process.pid or sys.platform == "win32"):
                    return running.status()
                if process.poll() is not None:
                    log.seek(0)
                    raise _startup_error(process.returncode, log.read().decode("utf-8", "replace"))
                time.sleep(_LOOK_SECONDS)
            raise EnvironmentFailure(f"the lab did not start within {_START_SECONDS:.0f} seconds")
        except BaseException:
            process.terminate()
            process.wait()
            raise


def _startup_error(code: int, output: str) -> PkigenError:
    """Convert the output and exit code of a lab that failed to start into an error."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("Building ")]
    words = "\n".join(lines) or f"the lab exited with code {code}"
    kinds: dict[int, type[PkigenError]] = {1: Refused, 2: InputError}
    return kinds.get(code, EnvironmentFailure)(words)


def stop_lab(running: RunningLab) -> None:
    """Stop a lab, and wait until its process has exited."""
    running.stop()
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        if not _alive(running.pid):
            return
        time.sleep(_LOOK_SECONDS)
    raise EnvironmentFailure(
        f"the lab of {running.folder} (process {running.pid}) did not exit within {_END_SECONDS:.0f} seconds"
    )


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        tasklist = subprocess.run(
            ["tasklist", "/FI", f"PID eq {pid}"], capture_output=True, text=True, check=False
        )
        return str(pid) in tasklist.stdout
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has exited but its parent has not reaped it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "Z"
