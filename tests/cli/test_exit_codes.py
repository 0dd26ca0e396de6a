"""How a command line ends: exit code, one clear line, no traceback."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from pkigen.cli import validate
from pkigen.errors import EnvironmentFailure, InputError, Location, Problem, Refused
from tests.cli.conftest import Cli, Outcome, finish, start


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Cli:
    """``cli`` with a ``validate`` that raises what it is given."""

    def run(error: BaseException) -> Outcome:
        def fail(_source: str) -> NoReturn:
            raise error

        monkeypatch.setattr(validate, "load_profile", fail)
        return cli("validate", "any.yaml")

    return run


@pytest.mark.parametrize(
    ("error", "code"), [(Refused("no"), 1), (InputError("no"), 2), (EnvironmentFailure("no"), 3)]
)
def test_a_pkigen_error_is_printed_with_its_exit_code(failing: Cli, error: Exception, code: int) -> None:
    outcome = failing(error)
    assert (outcome.code, outcome.out, outcome.err) == (code, "", "no\n")


def test_each_problem_has_a_line_with_its_position(failing: Cli) -> None:
    problems = [
        Problem("unknown key", "authorities.root", Location("a.yaml", 3, 5), "subject"),
        Problem("no issuer of that name", "certificates.x.issuer", Location("a.yaml", 7, 9)),
    ]
    assert failing(InputError(problems)).err.splitlines() == [
        "a.yaml:3:5: authorities.root: unknown key (did you mean 'subject'?)",
        "a.yaml:7:9: certificates.x.issuer: no issuer of that name",
    ]


def test_a_message_cannot_inject_terminal_escapes(failing: Cli) -> None:
    outcome = failing(InputError("bad name '\x1b]0;title\x07\u202e\udce9'\nsecond line"))
    assert outcome.err == "bad name '\\x1b]0;title\\x07\\u202e\\udce9'\nsecond line\n"


def test_a_system_error_is_one_line(failing: Cli) -> None:
    outcome = failing(OSError(errno.ENOSPC, "No space left on device", "out/x"))
    assert (outcome.code, outcome.err) == (
        3,
        "pkigen: out/x: the disk is full; make room and run the command again\n",
    )


class _Panic(BaseException):
    """As native code raises it: outside of Exception."""


@pytest.mark.parametrize("error", [KeyError("a secret"), RecursionError("a secret"), _Panic("a secret")])
def test_a_bug_is_reported_as_one_without_traceback_and_without_values(
    failing: Cli, error: Exception
) -> None:
    outcome = failing(error)
    assert outcome.code == 3
    assert f"unexpected {type(error).__name__} (test_exit_codes.py:" in outcome.err
    assert "PKIGEN_DEBUG=1" in outcome.err
    assert "Traceback" not in outcome.err
    assert "a secret" not in outcome.err


def test_a_bug_has_its_traceback_with_the_debug_option(failing: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKIGEN_DEBUG", "1")
    assert "Traceback (most recent call last)" in failing(KeyError("x")).err


def test_an_interrupt_is_one_line(failing: Cli) -> None:
    outcome = failing(KeyboardInterrupt())
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["biuld"], "Did you mean 'build'?"),
        (["build"], "Missing argument 'PROFILE'"),
        (["build", "x.yaml", "--ony", "x"], "No such option: --ony"),
        (["build", "x.yaml", "--jobs", "0"], "--jobs"),
        (["build", "x.yaml", "--jobs", "many"], "--jobs"),
        (["build", "x.yaml", "--keys", "old"], "'old' is not one of 'fresh', 'pool'"),
        (["build", "minimal", "--at", "yesterday-ish"], "--at"),
        (["plan", "x.yaml", "y.yaml"], "unexpected extra argument"),
        (["serve", "x", "--port", "65536"], "--port"),
        (["schema", "certificate"], "'certificate' is not one of"),
        (["renew", "out/x"], "specify at least one, or --expiring PERIOD"),
    ],
)
def test_a_wrong_command_line_is_reported_with_the_way_to_its_help(
    cli: Cli, arguments: list[str], words: str
) -> None:
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert "--help" in outcome.err


def test_without_a_command_the_help_is_printed(cli: Cli) -> None:
    outcome = cli()
    assert (outcome.code, outcome.out) == (2, "")
    assert "Start here:" in outcome.err


def test_a_closed_pipe_is_not_an_error() -> None:
    # `true` reads nothing: the pipe is closed before, or while, the help is written.
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        outcome = finish(start("--help", stdout=reader.stdin))
    assert (outcome.code, outcome.err) == (141, "")


def test_a_closed_stdout_is_not_an_error() -> None:
    # What a shell does for `pkigen --version >&-`.
    close = "import os, sys; os.close(1); os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", close, sys.executable, "-m", "pkigen", "--version"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_at_stdout_is_one_line(unbuffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("wb") as full:
        outcome = finish(start("--version", stdout=full))
    assert (outcome.code, outcome.err) == (
        3,
        "pkigen: the disk is full; make room and run the command again\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("InputError('wrong.yaml: no profile')", 2, "wrong.yaml: no profile\n"),
        ("KeyboardInterrupt", 130, "Interrupted.\n"),
    ],
)
def test_an_error_after_output_to_a_full_disk_has_its_own_exit_code(
    error: str, code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    script = f"""
import sys
from pkigen import cli
from pkigen.errors import InputError

def run(arguments):
    print("result")
    raise {error}

cli._run = run
sys.exit(cli.main([]))
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (code, message)


def test_a_locale_without_the_characters_does_not_stop_the_output(tmp_path: Path) -> None:
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    outcome = finish(start("validate", "größe.yaml", cwd=tmp_path, environ=environ))
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
