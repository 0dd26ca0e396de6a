"""The workflows in docs/ci: they are valid, and their commands do what they say."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.tools import ROOT, python, run

CI = ROOT / "docs" / "ci"
SCHEMAS = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


def _github(document: Any) -> tuple[list[str], dict[str, str]]:
    """The commands, and the variables that they use; inputs are not given, and have their defaults."""
    (job,) = document["jobs"].values()
    inputs = document[True]["workflow_call"]["inputs"]  # YAML 1.1 reads the key `on` so
    given = {key: one["default"] for key, one in inputs.items()}
    variables = {name: given.get(name.lower(), "") for name in document["env"]}
    for name, default in given.items():
        assert document["env"][name.upper()] == f"${{{{ inputs.{name} || '{default}' }}}}"
    return [step["run"] for step in job["steps"] if "run" in step], variables


def _gitlab(document: Any) -> tuple[list[str], dict[str, str]]:
    job = document[document["pki"]["extends"]]
    return [*job["before_script"], *job["script"]], job["variables"]


WORKFLOWS = {"github-actions.yml": _github, "gitlab-ci.yml": _gitlab}


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_a_workflow_is_valid(name: str, schema: str) -> None:
    python("-m", "check_jsonschema", "--builtin-schema", schema, CI / name)


def test_every_workflow_has_a_test() -> None:
    assert {path.name for path in CI.glob("*.yml")} == SCHEMAS.keys() == WORKFLOWS.keys()


@pytest.fixture(params=WORKFLOWS)
def commands(request: pytest.FixtureRequest) -> tuple[list[str], dict[str, str]]:
    """A workflow's commands and variables."""
    return WORKFLOWS[request.param](yaml.safe_load((CI / request.param).read_bytes()))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of somebody who has copied the example's tests."""
    shutil.copytree(CI / "tests", tmp_path / "tests")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_pip_installs_the_package_of_the_variable(commands: tuple[list[str], dict[str, str]]) -> None:
    install, *_ = commands[0]
    assert install.startswith('python -m pip install "${PKIGEN:?')
    options = install.removeprefix("python -m pip install")
    output = run("bash", "-c", f"printf '%s\\n'{options}", environ={"PKIGEN": "./pkigen.whl"})
    assert output.split() == ["./pkigen.whl", "pytest"]


def test_the_environment_is_built_and_checked(
    commands: tuple[list[str], dict[str, str]], repository: Path
) -> None:
    _, *steps, tests = commands[0]
    assert tests.startswith("python -m pytest ")
    run("bash", "-c", "\n".join(["set -eu", *steps]), cwd=repository, environ=commands[1])
    ran, failed = _counted(repository / "pki.xml")
    assert ran > 100
    assert failed == 0


def test_the_tests_of_the_client_run(commands: tuple[list[str], dict[str, str]], repository: Path) -> None:
    run("bash", "-c", commands[0][-1], cwd=repository, environ=commands[1])
    assert _counted(repository / "client.xml") == (6, 0)


def _counted(path: Path) -> tuple[int, int]:
    """The cases of a JUnit report, and those that failed."""
    root = ET.parse(path).getroot()  # noqa: S314  our own
    return len(root.findall(".//testcase")), len([*root.findall(".//failure"), *root.findall(".//error")])
