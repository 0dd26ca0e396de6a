"""The profile ``pkits``: NIST's tests and settings, and NIST's verdicts by pkigen and ``openssl verify``."""

from __future__ import annotations

import json
import subprocess

import pytest

from pkigen import build
from pkigen.cli import main
from pkigen.environment.build.expected_cases import expected_cases
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.environment.manifest import schema
from pkigen.environment.path_tests import PathTestFiles, PathTestRun
from pkigen.inspection.path import PolicyOptions
from pkigen.profile import load
from tests.pkits.tests import read_tests

TESTS = [test.id for test in load("pkits").path_tests]
UNDECIDED = {"4.1.5": "OpenSSL does not support DSA keys that inherit their parameters"}
OPENSSL_DIFFERS = {
    **UNDECIDED,
    "4.14.30": "the CRL covers its own issuer, whose path OpenSSL then does not validate",
}
"""Tests that `openssl verify` decides differently, and the reason."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build("pkits", tmp_path_factory.mktemp("pkits"), BuildOptions(keys="pool"))


@pytest.fixture(scope="module")
def runner(environment: Environment) -> PathTestRun:
    return PathTestRun(environment, environment.clock)


def test_the_tests_and_settings_are_those_of_nist(environment: Environment) -> None:
    listed = [
        (
            test.id,
            test.expect == "accept",
            PolicyOptions(
                frozenset(test.policies), test.explicit_policy, test.inhibit_mapping, test.inhibit_any_policy
            ),
        )
        for test in environment.contents.path_tests
    ]
    assert listed == [(test.number, test.accepted, test.options) for test in read_tests()]


def test_pkigen_reaches_every_verdict(runner: PathTestRun) -> None:
    results = {one.test.id: one.passed for one in runner.results()}
    assert {name for name, passed in results.items() if passed is None} == set(UNDECIDED)
    assert [name for name, passed in results.items() if passed is False] == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("name", TESTS)
def test_openssl_reaches_the_verdict(name: str, environment: Environment, runner: PathTestRun) -> None:
    test = next(one for one in environment.contents.path_tests if one.id == name)
    output = _openssl(environment, test, runner.files(test))
    assert (output == "") is ((test.expect == "accept") is not (name in OPENSSL_DIFFERS)), output


def _openssl(environment: Environment, test: schema.PathTest, files: PathTestFiles) -> str:
    """Return the output of ``openssl verify``, "" if it accepts the path."""
    folder = environment.folder
    command = ["openssl", "verify", "-crl_check_all", "-extended_crl", "-use_deltas", "-policy_check"]
    command += ["-CAfile", environment.contents.trust]
    for path in files.chain:
        command += ["-untrusted", path]
    for path in files.crls:
        command += ["-CRLfile", path]
    for policy in test.policies or ["2.5.29.32.0"]:
        command += ["-policy", policy]
    command += ["-explicit_policy"] if test.explicit_policy else []
    command += ["-inhibit_map"] if test.inhibit_mapping else []
    command += ["-inhibit_any"] if test.inhibit_any_policy else []
    done = subprocess.run(
        [*command, files.certificate], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_a_case_has_the_verdict_of_its_test_without_settings(environment: Environment) -> None:
    cases = {case.name: case.verdict.expected for case in environment.contents.cases}
    for test in environment.contents.path_tests:
        settings = test.policies or test.explicit_policy or test.inhibit_mapping or test.inhibit_any_policy
        if not settings and cases[test.certificate] != "varies":
            assert cases[test.certificate] == test.expect, test.id
    expected = {one.name: one.expected for one in expected_cases(load("pkits"), environment.clock)}
    assert expected == cases


def test_verify_runs_the_tests_of_an_environment(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(environment.folder)]) == 0
    printed = capsys.readouterr().out
    assert "cannot say  4.1.5 Valid DSA Parameter Inheritance: expected accept" in printed
    assert "246 right, 0 wrong, 1 cannot say" in printed


def test_verify_reports_a_wrong_verdict(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(environment.folder), "--at", "2040-01-01", "--json"]) == 1
    results = json.loads(capsys.readouterr().out)
    first = results[0]
    assert (first["id"], first["expect"], first["verdict"]) == ("4.1.1", "accept", "reject")
    assert any("has expired" in problem for problem in first["problems"])
    assert all((environment.folder / path).is_file() for one in results for path in one["files"]["crls"])
