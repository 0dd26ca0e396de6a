"""The profile ``bettertls``: BetterTLS's cases, and its verdicts by pkigen and ``openssl verify``."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from pkigen.cli import main
from pkigen.environment.environment import Environment
from pkigen.environment.manifest import schema
from pkigen.environment.path_tests import PathTestFiles, PathTestRun
from tests.bettertls import name_constraints, path_building
from tests.bettertls.original import verdicts
from tests.bettertls.profile import PROFILE, profile, selected, verdict_pairs

_BY_COMMON_NAME = {736, 742, 763, 769, 5194, 5245, 5926, 5947}
"""Cases that OpenSSL decides by the common name; BetterTLS only warns of that."""
_ADDRESSES = {7405, 7432, 8134, 8161}
"""Cases in which OpenSSL takes an address in the common name for a DNS name."""


@pytest.fixture(scope="module")
def runner(environment: Environment) -> PathTestRun:
    return PathTestRun(environment, environment.clock)


def test_the_shipped_file_is_the_written_one() -> None:
    assert PROFILE.read_text("utf-8") == profile(), "run: python -m tests.bettertls.profile"


def test_the_definitions_have_the_numbers_of_bettertls() -> None:
    assert Counter(case.accepted for case in path_building.cases()) == {True: 45, False: 36}
    counts = Counter(case.verdict for case in name_constraints.cases())
    assert counts == {(False, True): 7759, (False, False): 912, (True, True): 590, (True, False): 230}


def test_the_tests_are_all_cases_of_path_building_and_the_selected_ones_of_name_constraints(
    environment: Environment,
) -> None:
    expected = verdicts()
    tests = {test.id: (test.expect == "accept", test.required) for test in environment.contents.path_tests}
    assert tests == {name: expected[name] for name in tests}
    numbers = [f"pathbuilding.{number}" for number in range(81)]
    assert list(tests) == [*numbers, *(f"nameconstraints.{case.number}" for case in selected())]


def test_the_selection_contains_each_value_of_each_part_with_each_verdict() -> None:
    every, chosen = (
        {pair for case in cases for pair in verdict_pairs(case)}
        for cases in (name_constraints.cases(), selected())
    )
    assert every == chosen


def test_pkigen_reaches_every_required_verdict(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(environment.folder)]) == 0
    printed = capsys.readouterr().out
    assert "682 right, 0 wrong, 0 cannot say, 8 different where it is not required" in printed
    different = {line.split()[1] for line in printed.splitlines() if line.startswith("differs")}
    assert different == {f"nameconstraints.{number}" for number in _BY_COMMON_NAME}


@pytest.mark.needs("openssl")
def test_openssl_reaches_the_verdicts_of_name_constraints(
    environment: Environment, runner: PathTestRun
) -> None:
    tests = [test for test in environment.contents.path_tests if test.id.startswith("nameconstraints.")]
    different = {
        test.id: output
        for test in tests[:: 1 if len(tests) < 20 else 7]
        if ((output := _openssl(environment, test, runner.files(test))) == "")
        is not (test.expect == "accept")
    }
    expected = {f"nameconstraints.{number}" for number in _BY_COMMON_NAME | _ADDRESSES}
    assert different.keys() <= expected, different


@pytest.mark.needs("openssl")
def test_openssl_reaches_the_verdicts_of_path_building_if_there_is_one_path(
    environment: Environment, runner: PathTestRun
) -> None:
    """With only the certificates of the path that pkigen found, or all if it found none."""
    for result in runner.results():
        if not result.test.id.startswith("pathbuilding."):
            continue
        files = result.files
        if result.result.ok:
            path = {certificate.fingerprint() for certificate in result.result.path}
            by_print = {_fingerprint(environment, name): name for name in files.chain}
            on_path = tuple(name for one, name in by_print.items() if one in path)
            files = PathTestFiles(files.certificate, on_path, files.trust, files.crls)
        output = _openssl(environment, result.test, files)
        assert (output == "") is (result.test.expect == "accept"), (result.test.id, output)


def _fingerprint(environment: Environment, name: str) -> bytes:
    from pkigen.inspection.artifacts import read_path

    (artifact,) = read_path(environment.folder / name)
    assert artifact.certificate is not None
    return artifact.certificate.fingerprint()


def _openssl(environment: Environment, test: schema.PathTest, files: PathTestFiles) -> str:
    """Return the output of ``openssl verify``, "" if it accepts the path."""
    assert test.host is not None
    host = "-verify_ip" if test.host[0].isdigit() else "-verify_hostname"
    command = ["openssl", "verify", "-purpose", "sslserver", host, test.host]
    command += ["-auth_level", "1"] if test.reject_sha1 else []
    for path in files.trust:
        command += ["-CAfile", path]
    for path in files.chain:
        command += ["-untrusted", path]
    done = subprocess.run(
        [*command, files.certificate], cwd=environment.folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
