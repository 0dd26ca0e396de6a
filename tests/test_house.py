"""The house: how code looks, what a wheel holds, what `make demo` does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import ROOT, python, run

LONGEST_FILE = 400
SOURCES = sorted(
    path for folder in ("pkigen", "tests", "benchmarks", "fuzz") for path in (ROOT / folder).rglob("*.py")
)
# Names that gather what belongs elsewhere.
NO_MODULES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [path for path in SOURCES if path.stem.strip("_") in NO_MODULES] == []


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in SOURCES if not path.read_text("utf-8").startswith(('"""', 'r"""'))]
    assert [path for path in silent if path.name != "__init__.py" or path.stat().st_size] == []


def test_ruff_has_nothing_to_say() -> None:
    python("-m", "ruff", "check", "--no-cache", ".", cwd=ROOT)


def test_strict_mypy_has_nothing_to_say() -> None:
    python("-m", "mypy", cwd=ROOT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


def test_a_wheel_has_the_shipped_profiles_and_nothing_of_the_checkout(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {f"pkigen/_profiles/{path.name}" for path in (ROOT / "profiles").glob("*.yaml")}
    assert shipped
    assert shipped <= set(names)
    templates = {"pkigen/export/templates/nginx.conf.j2", "pkigen/report/templates/page.html"}
    assert {"pkigen/py.typed", *templates} <= set(names)
    assert "[pytest11]\npkigen = pkigen.pytest_plugin" in _entry_points(wheel)
    assert {name.split("/")[0] for name in names} == {"pkigen", "pkigen-0.1.0.dist-info"}


def _entry_points(wheel: Path) -> str:
    return zipfile.ZipFile(wheel).read("pkigen-0.1.0.dist-info/entry_points.txt").decode()


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> dict[str, str]:
    """The wheel unpacked away from the checkout: the environment variables that make Python use it."""
    target = tmp_path / "site"
    python(
        *("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel),
        cwd=tmp_path,
    )
    return {"PYTHONPATH": str(target)}


def test_an_installed_wheel_builds_a_shipped_profile_by_name(
    installed: dict[str, str], tmp_path: Path
) -> None:
    used = python("-c", "import pkigen; print(pkigen.__file__)", cwd=tmp_path, environ=installed)
    assert Path(used.strip()).is_relative_to(tmp_path)
    listed = python("-m", "pkigen", "init", "--list", cwd=tmp_path, environ=installed)
    assert all(path.stem in listed for path in (ROOT / "profiles").glob("*.yaml"))
    run(tmp_path / "site" / "bin" / "pkigen", "build", "minimal", cwd=tmp_path, environ=installed)
    assert (tmp_path / "out" / "minimal" / "certificates" / "server" / "server.crt").is_file()


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
    code, said = _demo(tmp_path, port)
    assert code == 0, said
    assert "sensor-01.crt: OK" in said
    assert f"http://127.0.0.1:{port}/crl/root.crl" in said
    assert f"http://127.0.0.1:{port}/crl/ot-issuing.crl" in said
    assert "The server is stopped." in said


@pytest.mark.needs("openssl")
def test_the_demo_takes_another_port_when_its_own_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        code, said = _demo(tmp_path, number)
    assert code == 0, said
    assert f"Port {number} is taken by another program" in said
    assert "sensor-01.crt: OK" in said


def test_a_demo_that_fails_says_so_and_stops_its_server(tmp_path: Path, port: int) -> None:
    mute = tmp_path / "openssl"
    mute.write_text("#!/bin/sh\n")
    mute.chmod(0o755)
    code, said = _demo(tmp_path / "out", port, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    assert code == 1, said
    assert "The server is stopped." in said
    assert "The demo failed" in said
