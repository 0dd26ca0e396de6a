"""Reports for programs: the same counts in each, and every reference leads somewhere."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pkigen.inspection.artifacts import read
from pkigen.inspection.check import (
    CheckOptions,
    check,
    check_files,
    reports,
)
from pkigen.requirements import CheckInput, Level, load_set
from tests.requirements.environments import Built

LEVELS = {"rejected": "error", "unsupported": "warning", "advice": "note"}


@pytest.fixture
def sarif(built: Built) -> dict[str, Any]:
    """The environment's SARIF log, through JSON and back."""
    log = reports.sarif(built.checked, [built.against], "1.2.3")
    loaded: dict[str, Any] = json.loads(json.dumps(log))
    return loaded


def _failures(built: Built) -> Counter[tuple[str, str]]:
    return Counter((one.name, finding.requirement.id) for one in built.checked for finding in one.broken)


def test_json_has_every_finding_with_its_message(built: Built) -> None:
    results = json.loads(json.dumps(reports.as_json(built.checked)))
    assert [one["name"] for one in results] == [one.name for one in built.checked]
    failed = Counter(
        (one["name"], f["id"]) for one in results for f in one["findings"] if f["status"] == "fail"
    )
    assert failed == _failures(built)
    for one in results:
        for finding in one["findings"]:
            assert (finding["message"] is not None) == (
                finding["status"] == "fail" and finding["level"] == "rejected"
            )
        given = {finding["message"] for finding in one["findings"] if finding["message"]}
        assert given == set(one["verdicts"][0]["messages"])
        assert one["verdicts"][0]["accepted"] is not bool(given)


def test_json_has_the_expected_violations_of_a_case_alone(built: Built) -> None:
    for one in reports.as_json(built.checked):
        case = next((c for c in built.cases.values() if c["name"] == one["name"]), None)
        expected = case and {"defender-iot": sorted(case["fault"]["violates"])}
        assert one["case"] == expected


def test_sarif_has_its_schema_its_version_and_one_run(sarif: dict[str, Any]) -> None:
    assert (sarif["version"], sarif["$schema"].endswith("sarif-2.1.0.json")) == ("2.1.0", True)
    (run,) = sarif["runs"]
    assert (run["tool"]["driver"]["name"], run["tool"]["driver"]["version"]) == ("pkigen", "1.2.3")


def test_every_sarif_result_is_of_a_rule_and_every_requirement_is_one(
    sarif: dict[str, Any], built: Built
) -> None:
    (run,) = sarif["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == [f"defender-iot/{one.id}" for one in built.against.requirements]
    for one in built.against.requirements:
        rule = rules[f"defender-iot/{one.id}"]
        assert rule["defaultConfiguration"]["level"] == LEVELS[one.level]
        assert rule["shortDescription"]["text"] == one.says
    assert len(run["results"]) == _failures(built).total()
    for result in run["results"]:
        assert result["level"] == rules[result["ruleId"]]["defaultConfiguration"]["level"]
        assert result["message"]["text"]


def test_every_sarif_result_is_at_a_file_that_exists(sarif: dict[str, Any], built: Built) -> None:
    for result in sarif["runs"][0]["results"]:
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert (built.folder / uri).is_file(), uri


def test_sarif_names_the_key_and_the_chain_with_their_violations(sarif: dict[str, Any]) -> None:
    for result in sarif["runs"][0]["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        name = result["ruleId"].partition("/")[2]
        if name.startswith("key-"):
            assert Path(uri).suffix in (".key", ".txt")
        elif name.startswith("chain-") and name != "chain-of-trust":
            assert Path(uri).stem == "chain"


def test_junit_counts_its_test_cases(built: Built) -> None:
    root = ET.fromstring(reports.junit(built.checked))  # noqa: S314  our own
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == [one.name for one in built.checked]
    for suite, one in zip(suites, built.checked, strict=True):
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases) == len(one.findings)
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == 0
        assert one.as_expected
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))


def test_junit_fails_a_case_that_violates_another_demand(built: Built) -> None:
    (one,) = (one for one in built.checked if one.name == "sensor-01.subject-c-missing")
    wrong = replace(one, expected={"defender-iot": frozenset({"subject-o"})})
    suite = ET.fromstring(reports.junit([wrong]))[0]  # noqa: S314  our own
    failures = {case.get("name"): case.find("failure") for case in suite}
    failed = {name: one.get("message", "") for name, one in failures.items() if one is not None}
    assert failed.keys() == {"subject-c", "subject-o"}
    assert failed["subject-c"].startswith("this case should not violate it: ")
    assert failed["subject-o"] == "this case should violate it, and does not"


def test_junit_fails_a_certificate_only_for_violations(built: Built) -> None:
    (one,) = (one for one in built.checked if one.name == "sensor-01.subject-c-missing")
    (suite,) = ET.fromstring(reports.junit([replace(one, expected=None)]))  # noqa: S314  our own
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["subject-c"]
    (finding,) = one.broken
    advice = replace(finding, requirement=finding.requirement.model_copy(update={"level": Level.ADVICE}))
    (suite,) = ET.fromstring(reports.junit([replace(one, expected=None, findings=(advice,))]))  # noqa: S314  our own
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


def test_unreadable_files_are_in_every_report(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "junk\x01.crt"
    path.write_bytes(b"junk")
    against = load_set("defender-iot")
    checked = check_files([path], [against], CheckOptions(now=built.clock))
    (one,) = reports.as_json(checked)
    assert [entry["file"] for entry in one["unread"]] == [str(path)]
    (result,) = reports.sarif(checked, [against], "1")["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("unreadable", "error")
    suite = ET.fromstring(reports.junit(checked))[0]  # noqa: S314  our own
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == 1


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b", 'a"<&>b', "ü\u2028", "\x1b[31m"])
def test_a_junit_report_parses_with_any_name(name: str, built: Built) -> None:
    check_input = CheckInput(now=built.clock)
    unread = read(b"junk", name)
    text = reports.junit([check(name, check_input, [load_set("defender-iot")], unread)])
    assert ET.fromstring(text.encode("utf-8", "strict")) is not None  # noqa: S314  our own
