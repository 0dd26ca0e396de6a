"""The house: how code looks, what `make demo` does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import ROOT, python

LONGEST_FILE = 400
SOURCES = sorted(
    path
    for folder in ("pkigen", "tests", "benchmarks", "docgen", "fuzz")
    for path in (ROOT / folder).rglob("*.py")
)
# Names that gather what belongs elsewhere.
NO_MODULES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_module_is_a_collection_of_unrelated_helpers() -> None:
    assert [path for path in SOURCES if path.stem.strip("_") in NO_MODULES] == []


def test_every_module_has_a_docstring() -> None:
    silent = [path for path in SOURCES if not path.read_text("utf-8").startswith(('"""', 'r"""'))]
    assert [path for path in silent if path.name != "__init__.py" or path.stat().st_size] == []


def test_ruff_reports_nothing() -> None:
    python("-m", "ruff", "check", "--no-cache", ".", cwd=ROOT)


def test_every_file_is_formatted() -> None:
    python("-m", "ruff", "format", "--check", "--no-cache", ".", cwd=ROOT)


def test_strict_mypy_reports_nothing() -> None:
    python("-m", "mypy", cwd=ROOT)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nothing listens on, and that must be free again after the test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    yield number
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", number))


def _demo(folder: Path, port: int, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit code of `make demo`'s script, and all that it said."""
    done = subprocess.run(
        [ROOT / "scripts" / "demo.sh", folder, str(port), sys.executable],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.needs("openssl")
def test_the_demo_verifies_a_sensor_and_stops_its_server(tmp_path: Path, port: int) -> None:
    code, output = _demo(tmp_path, port)
    assert code == 0, output
    assert "sensor-01.crt: OK" in output
    assert f"http://127.0.0.1:{port}/crl/root.crl" in output
    assert f"http://127.0.0.1:{port}/crl/ot-issuing.crl" in output
    assert 'openssl rejects it, "certificate has expired"' in output
    assert "The server is stopped." in output
    assert len(output.splitlines()) <= 12


@pytest.mark.needs("openssl")
def test_the_demo_takes_another_port_when_its_own_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        code, output = _demo(tmp_path, number)
    assert code == 0, output
    assert f"Port {number} is taken by another program" in output
    assert "sensor-01.crt: OK" in output


def test_a_failed_demo_reports_the_failure_and_stops_its_server(tmp_path: Path, port: int) -> None:
    mute = tmp_path / "openssl"
    mute.write_text("#!/bin/sh\n")
    mute.chmod(0o755)
    code, output = _demo(tmp_path / "out", port, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    assert code == 1, output
    assert "The server is stopped." in output
    assert "The demo failed" in output
