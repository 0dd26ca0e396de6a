"""`pkigen lab up` as a user starts it: how soon it is up, how soon everybody is connected, what it holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE, Popen

from benchmarks.contenders import PKIGEN
from benchmarks.measure import REPEATS, ROOT, new_folder, peak_of_process
from benchmarks.rows import Row
from pkigen.lab.control import find_running_lab

_LOOK_SECONDS = 0.05
_MOST_SECONDS = 120.0
_CONNECTED = "connected"
_DEMO = ROOT / "profiles" / "demo.yaml"
_FLEET = """\
name: fleet
base_url: http://127.0.0.1:8085
defaults: {{key: ec-p256}}
authorities:
  root: {{subject: {{CN: Root}}}}
  issuing: {{issuer: root, subject: {{CN: Issuing}}}}
certificates:
  management-console: {{issuer: issuing, subject: {{CN: console.contoso.test}}}}
  secondary-console: {{issuer: issuing, subject: {{CN: secondary.contoso.test}}}}
  "sensor-{{001..{sensors:03}}}": {{issuer: issuing, subject: {{CN: "{{{{ name }}}}.contoso.test"}}}}
lab: {{console: management-console, secondary: secondary-console, sensors: ["sensor-*"]}}
"""


@dataclass(frozen=True, slots=True)
class Up:
    """Seconds from the start of the process until it says that it is up, until all are connected, and
    from Ctrl-C to its end; the CPU seconds of all that; the peak memory in MiB, None if unknown."""

    ready: float
    connected: float
    ended: float
    cpu: float
    peak: float | None


def _profile(folder: Path, text: str) -> Path:
    """A profile whose CRL server has a port that is free."""
    with socket.socket() as result:
        result.bind(("127.0.0.1", 0))
        port = result.getsockname()[1]
    path = folder / "profile.yaml"
    path.write_text(text.replace("127.0.0.1:8085", f"127.0.0.1:{port}"), encoding="utf-8")
    return path


def _up(folder: Path, profile: Path, *, all_connected: bool) -> Up:
    """Once up and down; RuntimeError when it does not come up."""
    before, begun = os.times(), time.perf_counter()
    with _process((*PKIGEN, "lab", "up", str(profile), "--out", str(folder), "--port", "0", "--json")) as lab:
        assert lab.stdout is not None
        output = json.loads(lab.stdout.readline())
        up = time.perf_counter() - begun
        environment = folder / output["environment"]
        while all_connected and not _all_connected(environment):
            if time.perf_counter() - begun > _MOST_SECONDS:
                raise RuntimeError("some appliances do not connect")
            time.sleep(_LOOK_SECONDS)
        connected = time.perf_counter() - begun
        peak = peak_of_process(lab.pid)
        ending = time.perf_counter()
        lab.send_signal(signal.SIGINT)
        if lab.wait(_MOST_SECONDS):
            raise RuntimeError(f"the lab ends with {lab.returncode}")
        ended, after = time.perf_counter() - ending, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Up(up, connected, ended, cpu, peak)


@contextmanager
def _process(command: tuple[str, ...]) -> Iterator[Popen[bytes]]:
    with Popen(command, stdout=PIPE, stderr=DEVNULL, env=os.environ) as process:
        try:
            yield process
        finally:
            process.kill()


def _all_connected(environment: Path) -> bool:
    running = find_running_lab(environment)
    return running is not None and all(
        link["state"] == _CONNECTED for link in running.status()["connections"]
    )


def started(sensors: int, space: Path) -> Up:
    """Start a lab with so many sensors in an empty directory, until all are connected, and end it."""
    return _up(space / "out", _profile(space, _FLEET.format(sensors=sensors)), all_connected=True)


def _turns(text: str, space: Path, *, all_connected: bool) -> tuple[list[Up], list[Up]]:
    """From cold, certificates and all, and again when they are there; a first try does not count."""
    cold, built = list[Up](), list[Up]()
    for _ in range(REPEATS + 1):
        folder = new_folder(space)
        profile = _profile(folder, text)
        cold.append(_up(folder / "out", profile, all_connected=all_connected))
        # What was done in the lab would be there again.
        for state in (folder / "out").glob("*/.pkigen/lab"):
            shutil.rmtree(state)
        built.append(_up(folder / "out", profile, all_connected=all_connected))
    return cold[1:], built[1:]


def _row(work: str, seconds: Callable[[Up], float], turns: list[Up], limit: float) -> Row:
    values = list(map(seconds, turns))
    middle = median(values)
    measured: dict[str, object] = {
        "ours": [round(value, 4) for value in values],
        "ours cpu, up and down": [round(turn.cpu, 2) for turn in turns],
    }
    return Row(work, "-", f"{middle:.2f} s", "-", "-", f"under {limit:g} s", middle < limit, measured)


def demo(limit: float, space: Path) -> Iterator[Row]:
    """The demo profile: up from cold and when it was built before."""
    cold, built = _turns(_DEMO.read_text("utf-8"), space, all_connected=False)
    yield _row("lab up demo, from cold", attrgetter("ready"), cold, limit)
    yield _row("lab up demo, built before", attrgetter("ready"), built, limit)
    yield _row("lab of demo ends", attrgetter("ended"), cold + built, 2)


def fleet(sensors: int, limit: float, most: int, space: Path) -> Iterator[Row]:
    """So many sensors, a console and a secondary one: all connected, memory, and the end."""
    cold, built = _turns(_FLEET.format(sensors=sensors), space, all_connected=True)
    name = f"lab of {sensors} sensors"
    yield _row(f"{name} connected, from cold", attrgetter("connected"), cold, limit)
    yield _row(f"{name} connected, built before", attrgetter("connected"), built, limit)
    yield _row(f"{name} ends", attrgetter("ended"), cold + built, 2)
    peaks = [one.peak for one in cold + built if one.peak is not None]
    work, goal = f"{name}, peak memory", f"under {most} MiB"
    if not peaks:
        yield Row(work, "-", "only on Linux", "-", "-", goal, None)
        return
    measured: dict[str, object] = {"ours MiB": [round(peak, 1) for peak in peaks]}
    yield Row(work, "-", f"{max(peaks):.0f} MiB", "-", "-", goal, max(peaks) < most, measured)


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("lab demo", partial(demo, 3)),
    ("lab fleet", partial(fleet, 100, 15, 400)),
)
