"""No call that exists only on POSIX systems is without an alternative for Windows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import ROOT, python

_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
_OS = """chown fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp getuid
kill killpg lchown mkfifo mknod nice openpty O_DIRECTORY O_NOFOLLOW O_NONBLOCK posix_fadvise posix_spawn pread
pwrite register_at_fork sched_getaffinity sendfile setgid setsid setuid statvfs sync sysconf uname
wait3 wait4 waitid"""
_SIGNAL = "SIGALRM SIGCHLD SIGHUP SIGKILL SIGUSR1 SIGUSR2 alarm pthread_sigmask setitimer"
_NAMES = {
    "os": set(_OS.split()),
    "select": {"epoll", "kqueue", "poll"},
    "signal": set(_SIGNAL.split()),
    "socket": {"AF_UNIX", "SO_REUSEPORT"},
}
_RENAME = re.compile(r"os\.(rename|replace)\(")
_BRANCHES = ("sys.platform", "os.name", "ImportError", "AttributeError", "hasattr(")


def _posix_only(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in _NAMES.get(module, ()):
                yield node
            case ast.Import(names=names) if {one.name for one in names} & _MODULES:
                yield node
            case ast.ImportFrom(module=str(module), names=names) if module in _MODULES or (
                {one.name for one in names} & _NAMES.get(module, set())
            ):
                yield node


def _without_branch(source: str) -> list[int]:
    """Return the lines of POSIX calls in functions, or module code, without a branch for other systems."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = []
    for node in _posix_only(tree):
        line = node.lineno  # type: ignore[attr-defined]
        around = [one for one in functions if one.lineno <= line <= (one.end_lineno or 0)]
        scope = max(around, key=lambda one: one.lineno) if around else tree
        if not any(word in ast.unparse(scope) for word in _BRANCHES):
            lines.append(line)
    return lines


def test_every_posix_call_has_an_alternative_branch() -> None:
    calls = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / "pkigen").rglob("*.py"))
        if (lines := _without_branch(path.read_text("utf-8")))
    }
    assert not calls, f"add a branch for Windows (sys.platform == 'win32'): {calls}"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import os\ndef f():\n    os.fork()\n", [3]),
        ("import sys\ndef f():\n    import fcntl\n", [3]),
        ("def f():\n    if sys.platform != 'win32':\n        os.fork()\n", []),
        ("try:\n    import resource\nexcept ImportError:\n    resource = None\n", []),
        ("from signal import SIGKILL\n", [1]),
        ("def f():\n    return sys.platform\ndef g():\n    os.geteuid()\n", [4]),
    ],
)
def test_the_scan_finds_calls_without_a_branch(source: str, lines: list[int]) -> None:
    assert _without_branch(source) == lines


def test_renames_use_the_layer_for_windows() -> None:
    paths = [path for path in (ROOT / "pkigen").rglob("*.py") if path.name != "renames.py"]
    direct = [str(path.relative_to(ROOT)) for path in paths if _RENAME.search(path.read_text("utf-8"))]
    assert not direct, "use pkigen.renames"


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_a_workflow_is_valid(path: Path) -> None:
    python("-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    tests = re.findall(r"tests/[\w./]+", path.read_text("utf-8"))
    assert tests
    assert not [name for name in tests if not (ROOT / name).exists()]
