"""Help: there for every command, with an example, within 80 columns, and quick."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer

import pkigen.cli
from pkigen import __version__
from pkigen.cli._app import discover_commands
from tests.cli.conftest import Cli, finish, start
from tests.tools import python

_MOST_MODULES = 76
_COMMANDS = discover_commands()
_NAMES = [name for name, command in _COMMANDS.items() if not isinstance(command, typer.Typer)]
_GROUPS = {
    name: [str(command.name) for command in group.registered_commands]
    for name, group in _COMMANDS.items()
    if isinstance(group, typer.Typer)
}


def test_every_public_module_is_a_command() -> None:
    directory = Path(pkigen.cli.__file__).parent
    assert sorted(_COMMANDS) == sorted(
        path.stem.rstrip("_").replace("_", "-") for path in directory.glob("[!_]*.py")
    )


_LINES = [(name,) for name in _NAMES] + [(group, name) for group, names in _GROUPS.items() for name in names]


@pytest.mark.parametrize("names", _LINES, ids=" ".join)
def test_a_commands_help_has_an_example_and_fits_the_screen(cli: Cli, names: tuple[str, ...]) -> None:
    outcome = cli(*names, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"    pkigen {' '.join(names)}" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_help_names_every_command_with_its_whole_summary(cli: Cli) -> None:
    outcome = cli("--help")
    assert (outcome.code, outcome.err) == (0, "")
    summaries = outcome.out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in summaries] == [*_NAMES, *_GROUPS]
    assert all(line.endswith(".") and not line.endswith("...") for line in summaries)


@pytest.mark.parametrize("group", _GROUPS)
def test_the_help_of_a_group_names_its_commands_with_their_whole_summaries(cli: Cli, group: str) -> None:
    summaries = cli(group, "--help").out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in summaries] == _GROUPS[group]
    assert all(line.endswith(".") and not line.endswith("...") for line in summaries)


def test_the_version_is_reported(cli: Cli) -> None:
    assert cli("--version").out == f"pkigen {__version__}\n"


def test_the_help_is_that_of_the_complete_command_line(cli: Cli) -> None:
    # Without an argument, the command line is complete, and prints its help.
    texts = {outcome.out + outcome.err for outcome in (cli("--help"), cli("-h"), cli())}
    assert len(texts) == 1


def test_help_imports_no_more_modules_than_it_needs() -> None:
    # Imports are nearly all of the time that the help takes; their number does not depend on the machine.
    # How many modules the standard library has for the same import depends on the version of Python.
    code = "import sys; from pkigen.cli import main; main(['--help']); print(*sys.modules)"
    loaded = python("-c", code).splitlines()[-1].split()
    installed = [name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names]
    assert len(installed) <= _MOST_MODULES


def test_help_imports_nothing_that_only_a_command_needs() -> None:
    heavy = {"cryptography", "jinja2", "pydantic", "rich", "starlette", "uvicorn", "yaml"}
    heavy |= {"asyncio", "concurrent.futures", "http.client", "multiprocessing", "sqlite3", "ssl"}
    code = "import sys; from pkigen.cli import main; main(['--help']); print(*sys.modules)"
    loaded = python("-c", code).splitlines()[-1].split()
    assert not heavy & set(loaded)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_a_shell_is_printed(shell: str) -> None:
    outcome = finish(start(environ={"_PKIGEN_COMPLETE": f"source_{shell}"}))
    assert outcome.code == 0
    assert "_PKIGEN_COMPLETE" in outcome.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("pkigen bu", ["build"]),
        ("pkigen build --se", ["--seed"]),
        ("pkigen build minim", ["minimal"]),
        ("pkigen build conto", ["contoso.yaml"]),
        ("pkigen build profiles/x", ["profiles/x.yml"]),
        ("pkigen init def", ["defender-iot"]),
        ("pkigen build x --keys ", ["fresh", "pool", "unique"]),
        ("pkigen status pla", ["plant"]),
        ("pkigen revoke out/pl", ["out/plant/"]),
        ("pkigen revoke plant sens", ["sensor-01", "sensor-02"]),
        ("pkigen revoke out/plant sensor-01 sens", ["sensor-02"]),
        ("pkigen revoke plant sensor-01 --reason key", ["keyCompromise"]),
        ("pkigen revoke missing sens", []),
        ("pkigen renew damaged sens", []),
        ("pkigen refresh-crl plant ", ["root"]),
        ("pkigen break plant sensor-01 --fault expired+san-wrong-h", ["expired+san-wrong-host"]),
        ("pkigen faults curve", ["curveball-root"]),
        ("pkigen check x.crt --against defender-iot-2", ["defender-iot-2020"]),
        ("pkigen export plant --to ngi", ["nginx"]),
    ],
)
def test_a_partial_word_is_completed(tmp_path: Path, words: str, offered: list[str]) -> None:
    for name in ("profiles", "out/plant", "out/damaged"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("contoso.yaml", "contoso.txt", "profiles/x.yml"):
        (tmp_path / name).touch()
    manifest = {"cases": [{"name": "sensor-01"}, {"name": "sensor-02"}], "authorities": [{"name": "root"}]}
    (tmp_path / "out/plant/manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "out/damaged/manifest.json").write_text("{")
    outcome = finish(start(cwd=tmp_path, environ=_completing(words)))
    assert outcome.out.split() == offered
    assert outcome.err == ""


def _completing(words: str) -> dict[str, str]:
    return {
        "_PKIGEN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }


@pytest.mark.parametrize(
    "words", ["pkigen revoke plant sens", "pkigen status pla", "pkigen check x --against de"]
)
def test_a_completion_imports_only_what_it_needs(tmp_path: Path, words: str) -> None:
    heavy = {"cryptography", "jinja2", "rich", "starlette", "uvicorn", "yaml"}
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules)); import pkigen.cli as c; c.main([])"
    )
    loaded = python("-c", code, environ=_completing(words)).splitlines()[-1].split()
    assert not heavy & set(loaded)
    assert len([name for name in loaded if name.startswith("pkigen.cli.")]) < 15
