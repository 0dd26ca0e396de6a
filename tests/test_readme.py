"""What the README shows is run, so that it cannot show what does not work."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tools

README = (tools.ROOT / "README.md").read_text("utf-8")
REVOCATION = (tools.ROOT / "docs" / "revocation.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _in_virtual_environment() -> dict[str, str]:
    """The pkigen command of the Python that runs the tests, whether that is activated or not."""
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def port_is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


LAB_PORTS = (8085, *range(8443, 8451))
"""Those of the lab of the profile ``demo``, if nobody asks for others."""


def need_ports(who: str, *ports: int) -> None:
    """Skip, or in CI fail, a test of commands that name ports, when another program has one."""
    taken = next((port for port in ports if not port_is_free(port)), None)
    if taken is not None:
        reason = f"needs port {taken}, which {who} uses, and another program has it"
        pytest.fail(reason) if tools.gaps_are_failures() else pytest.skip(reason)


def end_lab(folder: Path) -> str:
    """End the lab that commands may have left in a folder; what was said to that."""
    command = [sys.executable, "-m", "pkigen", "lab", "down", "--out", str(folder / "out")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stderr


@pytest.mark.needs("openssl", "curl")
def test_every_command_in_the_readme_runs(tmp_path: Path) -> None:
    need_ports("the README", 8080, *LAB_PORTS)
    try:
        run_console(blocks("console"), tmp_path)
    finally:
        end_lab(tmp_path)


def run_console(shown: list[str], folder: Path) -> None:
    """Run what blocks of a document show, one line after the other, in a folder."""
    lines = [line.removeprefix("$ ") for block in shown for line in block.splitlines()]
    script = "\n".join(["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT", *lines])
    tools.run("bash", "-c", script, cwd=folder, environ=_in_virtual_environment())


def test_every_command_of_the_page_on_revocation_runs(tmp_path: Path) -> None:
    tools.python("-m", "pkigen", "build", "defender-iot", "--keys", "pool", cwd=tmp_path)
    run_console(blocks("console", REVOCATION), tmp_path)


def test_every_make_target_in_the_documents_exists() -> None:
    makefile = (tools.ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = set()
    for document in tools.ROOT.glob("*.md"):
        shown |= set(re.findall(r"^make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE))
    assert shown
    assert shown <= targets


def test_the_readme_lists_the_commands_as_help_does() -> None:
    shown = tools.python("-m", "pkigen", "--help", environ={"COLUMNS": "100", "NO_COLOR": "1"})
    listed = re.findall(r"^  (\S+) +(.+)$", shown.partition("Commands:\n")[2], re.MULTILINE)
    readme = next(block for block in blocks("text") if block.startswith("init "))
    assert re.findall(r"^(\S+) +(.+)$", readme, re.MULTILINE) == listed


def test_the_profile_in_the_readme_is_valid(tmp_path: Path) -> None:
    (tmp_path / "contoso-ot.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    tools.python("-m", "pkigen", "validate", "contoso-ot.yaml", cwd=tmp_path)


def test_the_errors_in_the_readme_are_what_such_mistakes_give(tmp_path: Path) -> None:
    wrong = blocks("yaml")[0].replace("ip:10.1.0.10", "ip:10.1.0.300").replace("fullchain", "fulchain")
    (tmp_path / "contoso-ot.yaml").write_text(wrong, encoding="utf-8")
    command = (sys.executable, "-m", "pkigen", "validate", "contoso-ot.yaml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    shown = next(block for block in blocks("text") if block.startswith("contoso-ot.yaml:"))
    assert done.returncode == 2
    assert done.stdout + done.stderr == shown


def test_the_python_in_the_readme_runs(tmp_path: Path) -> None:
    said = tools.python("-c", blocks("python")[0], cwd=tmp_path)
    assert "http://127.0.0.1:" in said


@pytest.mark.parametrize("document", sorted(tools.ROOT.glob("*.md")), ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
    assert [link for link in links if not (tools.ROOT / link).exists()] == []
