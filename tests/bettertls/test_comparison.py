"""The comparison with BetterTLS, in a short form: cases of the profile as BetterTLS exports them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.environment import Environment
from pkigen.environment.path_tests import PathTestRun
from pkigen.inspection.artifacts import read_path
from pkigen.matrix import VALIDATORS, Column
from pkigen.matrix.known_differences import LIMBO_FILE, read_differences
from pkigen.x509 import Certificate
from tests.bettertls.__main__ import survey_bettertls
from tests.bettertls.original import changed_verdicts, verdicts
from tests.bettertls.page import PAGE, page
from tests.limbo.survey import OWN_REASONS
from tests.matrix.tools import OPTIONAL

_ANCHOR = "nc.root"
_IDS = ("nameconstraints.0", "nameconstraints.3", "nameconstraints.5", "nameconstraints.736")


def _exported(environment: Environment) -> dict[str, Any]:
    """Return cases with one anchor in the format of BetterTLS's command export-tests."""

    def read(name: str) -> str:
        (artifact,) = read_path(environment.folder / name)
        assert artifact.certificate is not None
        return base64.b64encode(artifact.certificate.der).decode()

    runner = PathTestRun(environment, environment.clock)
    suites: dict[str, dict[str, list[dict[str, Any]]]] = {
        "pathbuilding": {"testCases": []},
        "nameconstraints": {"testCases": []},
    }
    for test in environment.contents.path_tests:
        if test.id not in _IDS:
            continue
        suite, _, number = test.id.partition(".")
        files = runner.files(test)
        case = {
            "id": int(number),
            "certificates": [read(name) for name in (files.certificate, *files.chain)],
            "hostname": test.host,
            "expected": "ACCEPT" if test.expect == "accept" else "REJECT",
            "failureIsWarning": not test.required,
        }
        suites[suite]["testCases"].append(case)
    return {"trustRoot": read(f"authorities/{_ANCHOR}/{_ANCHOR}.crt"), "suites": suites}


@pytest.mark.needs("openssl")
def test_exported_cases_are_compared_and_differences_have_their_reasons(
    environment: Environment, tmp_path: Path
) -> None:
    openssl = next(one for one in VALIDATORS if one.name == "openssl")
    version = openssl.version() or ""
    exported = _exported(environment)
    matrix = survey_bettertls(exported, tmp_path, [Column(openssl, version, version)])
    assert matrix.unexplained == ()
    words = {
        subject.name.rpartition("tc")[2]: [cell.word for cell in cells] for subject, cells in matrix.rows
    }
    assert words == {"0": ["accept"] * 2, "3": ["refuse"] * 2, "5": ["refuse"] * 2, "736": ["accept"] * 2}
    text = page(matrix)
    assert f"| `openssl` | {version} | 3 | 0 + 1 | 1 (1) |" in text
    assert "| `pkigen-verify` |  | 3 | 0 + 1 | 2 (1) |" in text


def test_a_case_with_another_verdict_is_found(environment: Environment) -> None:
    exported = _exported(environment)
    assert set(changed_verdicts(exported)) == verdicts().keys() - set(_IDS)
    exported["suites"]["nameconstraints"]["testCases"][0]["expected"] = "REJECT"
    assert set(changed_verdicts(exported)) == verdicts().keys() - set(_IDS[1:])


def test_the_cases_are_validated_a_day_after_their_validity_begins(environment: Environment) -> None:
    from datetime import timedelta

    from tests.bettertls.original import limbo_document

    exported = _exported(environment)
    leaf = exported["suites"]["nameconstraints"]["testCases"][-1]["certificates"][0]
    begin = Certificate(base64.b64decode(leaf)).not_before
    times = {case["validation_time"] for case in limbo_document(exported)["testcases"]}
    assert times == {(begin + timedelta(days=1)).isoformat()}


def test_the_reasons_on_the_recorded_page_are_those_of_the_files() -> None:
    listed = set(
        re.findall(r"^\| \d+ \| (.*?) \| (choice|limit|bug) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    )
    stated = {
        (one.reason, one.kind)
        for one in (*read_differences(LIMBO_FILE), *read_differences(OWN_REASONS))
        if one.fault.startswith("bettertls") and one.column not in OPTIONAL
    }
    assert listed
    assert listed - stated == set(), "run: make bettertls BETTERTLS=FILE"
