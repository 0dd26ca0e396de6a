"""The prestarted pkigen of the pages behaves like a program of its own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests import prestarted, tools


@pytest.fixture
def command() -> Path:
    return prestarted.directory() / "pkigen"


def test_a_prestarted_command_runs_in_the_directory_of_its_caller_and_returns_the_exit_code(
    command: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("name: [", "utf-8")
    ended = subprocess.run(
        [command, "validate", "broken.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("broken.yaml:2:1: not YAML")


def test_a_prestarted_command_has_the_streams_and_the_environment_of_its_caller(
    command: Path, tmp_path: Path
) -> None:
    tools.run("bash", "-c", f"{command} plan minimal >plan.txt", cwd=tmp_path)
    assert "2 to issue" in (tmp_path / "plan.txt").read_text("utf-8")
    tools.run("bash", "-c", f"{command} show - <plan.txt >shown.txt || test $? -eq 1", cwd=tmp_path)
    assert "standard input: unknown" in (tmp_path / "shown.txt").read_text("utf-8")
    output = tools.run(command, "build", "--help", cwd=tmp_path, environ={"COLUMNS": "60"})
    assert max(map(len, output.splitlines())) <= 62


def test_a_signal_to_the_caller_ends_the_prestarted_command(command: Path, tmp_path: Path) -> None:
    tools.run(command, "build", "minimal", cwd=tmp_path)
    words = [str(command), "serve", "out/minimal", "--port", "0", "--json"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "http://127.0.0.1:" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.stdout.read() == ""
    assert server.returncode == 0
