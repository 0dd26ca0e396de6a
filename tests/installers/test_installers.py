"""The installers of the README install the built wheel, and the installed command builds and verifies.

`make installers` runs each of them with the package index. In `make test`, tests/test_packaging.py installs
the wheel without an index, and this file compares the lines of the README with the installers.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.pages import blocks
from tests.tools import ROOT, python, run

INSTALLERS = os.environ.get("PKIGEN_INSTALLERS", "")
"""The directory of a virtual environment with pipx and uv; empty: only the lines of the README are tested."""

LINES = {
    line.split()[0]: line.split("#")[0].strip()
    for line in re.split(r"\n|  or: ", blocks("sh", (ROOT / "README.md").read_text("utf-8"))[0])
    if line
}
with_index = pytest.mark.skipif(not INSTALLERS, reason="make installers runs pip, pipx and uvx with an index")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables with which installers write below the test's directory, and find nothing of the checkout."""
    alone = {"HOME", "PIPX_HOME", "PIPX_BIN_DIR", "UV_TOOL_DIR", "UV_CACHE_DIR"}
    path = [
        str(tmp_path / "PIPX_BIN_DIR"),
        str(tmp_path / "venv" / "bin"),
        f"{INSTALLERS}/bin",
        "/usr/bin",
        "/bin",
    ]
    variables = {name: str(tmp_path / name) for name in alone} | {"PATH": os.pathsep.join(path)}
    return variables | {"PYTHONPATH": "", "VIRTUAL_ENV": "", "UV_PYTHON": sys.executable}


def _verifies(command: str, folder: Path, environ: dict[str, str]) -> None:
    run("sh", "-c", f"{command} build minimal", cwd=folder, environ=environ)
    files = "out/minimal/certificates/server/server.crt --chain out/minimal/certificates/server/chain.pem"
    output = run(
        "sh", "-c", f"{command} verify {files} --host server.minimal.test", cwd=folder, environ=environ
    )
    assert output.splitlines()[-1].startswith("accepted")


def test_the_readme_has_one_line_for_each_installer() -> None:
    assert LINES == {"pipx": "pipx install .", "pip": "pip install .", "uvx": "uvx --from . pkigen"}


@with_index
def test_pip_installs_the_wheel(wheel: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    run("sh", "-c", LINES["pip"].replace(" .", f" {wheel}"), cwd=tmp_path, environ=environ)
    _verifies("pkigen", tmp_path, environ)


@with_index
def test_pipx_installs_the_wheel(wheel: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    run("sh", "-c", LINES["pipx"].replace(" .", f" {wheel}"), cwd=tmp_path, environ=environ)
    _verifies("pkigen", tmp_path, environ)


@with_index
def test_uvx_runs_the_wheel_without_installing_it(
    wheel: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    _verifies(LINES["uvx"].replace(" . ", f" {wheel} "), tmp_path, environ)
    assert not (tmp_path / "PIPX_BIN_DIR").exists()
