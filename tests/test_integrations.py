"""action.yml and templates/ are valid, and their steps test a client and report what it accepts wrongly.

The steps run here as a shell runs them; no runner of GitHub or GitLab has run them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests import pages
from tests.tools import ROOT, python

ACTION = yaml.safe_load((ROOT / "action.yml").read_bytes())
SPEC, COMPONENT = yaml.safe_load_all((ROOT / "templates" / "broken-certificates.yml").read_bytes())
STRICT = 'curl -sS --cacert "$PKI_TRUST" --resolve "$PKI_HOST:$PKI_PORT:$PKI_ADDRESS" "$PKI_URL"'
CARELESS = f"{STRICT} --insecure"
Inputs = dict[str, str]
Steps = tuple[list[str], dict[str, str]]


def _of_action(inputs: Inputs, folder: Path) -> Steps:
    """The commands after the installation, and their variables."""
    given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | inputs

    def value(text: str) -> str:
        text = text.replace("${{ runner.temp }}", str(folder / "temp"))
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: given[match[1]], text)

    steps = [step for step in ACTION["runs"]["steps"] if "run" in step and step["name"] != "Install pkigen"]
    variables = {key: value(text) for step in steps for key, text in step["env"].items()}
    return [step["run"] for step in steps], {**variables, "PKIGEN": "pkigen"}


def _of_component(inputs: Inputs, folder: Path) -> Steps:
    given = {name: str(one.get("default", "")) for name, one in SPEC["spec"]["inputs"].items()} | inputs

    def value(node: Any) -> str:
        text = str(node["value"] if isinstance(node, dict) else node)
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: given[match[1]], text)

    (job,) = COMPONENT.values()
    script = [line.replace(".pkigen/bin/pkigen", "pkigen") for line in job["script"]]
    return ["\n".join(script)], {key: value(node) for key, node in job["variables"].items()}


PLATFORMS: dict[str, Callable[[Inputs, Path], Steps]] = {"action": _of_action, "component": _of_component}


@pytest.fixture(params=PLATFORMS)
def run_steps(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., tuple[bool, str]]:
    """Run the steps for a client, in a repository with a profile: whether they succeed, and their output."""
    shutil.copy(ROOT / "docs" / "ci" / "tests" / "pki.yaml", tmp_path)

    def run(client: str, **inputs: str) -> tuple[bool, str]:
        commands, variables = PLATFORMS[request.param](
            {"profile": "pki.yaml", "client": client, **inputs}, tmp_path
        )
        environ = {**os.environ, **pages.environment(), **variables}
        done = [_shell(command, tmp_path, environ) for command in commands]
        return all(code == 0 for code, _ in done), "".join(text for _, text in done)

    return run


def _shell(command: str, folder: Path, environ: dict[str, str]) -> tuple[int, str]:
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    done = subprocess.run(
        words,
        cwd=folder,
        env=environ,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


def test_the_action_is_valid() -> None:
    python("-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")


def test_the_component_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "component.yml"
    path.write_text(yaml.safe_dump({"job": next(iter(COMPONENT.values()))}))
    python("-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", path)


def test_both_have_the_same_inputs() -> None:
    own = {"upload-sarif"}, {"image", "stage", "job"}
    assert ACTION["inputs"].keys() - own[0] == SPEC["spec"]["inputs"].keys() - own[1]


def test_no_input_is_pasted_into_a_script() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    (job,) = COMPONENT.values()
    assert not [line for line in (*scripts, *job["before_script"], *job["script"]) if "inputs." in line]


@pytest.mark.needs("curl")
def test_a_client_that_validates_passes(run_steps: Callable[..., tuple[bool, str]], tmp_path: Path) -> None:
    passed, output = run_steps(STRICT)
    assert passed, output
    cases = ET.parse(tmp_path / "pki-client.xml").getroot().findall(".//testcase")  # noqa: S314  our own
    assert len(cases) == 6
    assert json.loads((tmp_path / "pki-client.sarif").read_bytes())["runs"][0]["results"] == []


@pytest.mark.needs("curl")
def test_a_client_that_accepts_everything_fails_and_is_reported(
    run_steps: Callable[..., tuple[bool, str]], tmp_path: Path
) -> None:
    passed, output = run_steps(CARELESS, known="expired not-*")
    assert not passed, output
    root = ET.parse(tmp_path / "pki-client.xml").getroot()  # noqa: S314  our own
    assert (len(root.findall(".//failure")), len(root.findall(".//skipped"))) == (3, 2)
    (run,) = json.loads((tmp_path / "pki-client.sarif").read_bytes())["runs"]
    assert {one["ruleId"] for one in run["results"]} == {
        "san-wrong-host",
        "self-signed",
        "chain-untrusted-root",
    }
    files = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]}
    assert files == {"pki.yaml"}
