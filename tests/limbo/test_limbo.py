"""The comparison with x509-limbo, in a short form: a file of two cases, and the recorded page."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkigen.faults import FAULTS
from pkigen.formats import pem
from pkigen.matrix import VALIDATORS, Column
from pkigen.matrix.known_differences import LIMBO_FILE, read_differences
from tests.inspection.path.hierarchies import issue
from tests.limbo.counterparts import NONE, SOUND, counterparts, discrepancies
from tests.limbo.page import PAGE, catalog_section, page
from tests.limbo.survey import OWN_REASONS, survey_limbo, unused_reasons
from tests.matrix.tools import OPTIONAL

_GIVEN = (*read_differences(LIMBO_FILE), *read_differences(OWN_REASONS))


def _file(folder: Path) -> Path:
    root = issue("Root", ca=True)
    leaf = issue("server.contoso.test", root)
    case = {
        "description": "A good server.",
        "validation_kind": "SERVER",
        "trusted_certs": [pem.encode("CERTIFICATE", root.der).decode()],
        "untrusted_intermediates": [],
        "peer_certificate": pem.encode("CERTIFICATE", leaf.der).decode(),
        "validation_time": datetime.now(UTC).isoformat(),
        "expected_result": "FAILURE",
        "expected_peer_name": None,
    }
    client = {**case, "id": "own::client", "validation_kind": "CLIENT", "expected_result": "SUCCESS"}
    named = {**case, "id": "webpki::cn::not-in-san"}
    path = folder / "limbo.json"
    path.write_text(json.dumps({"version": 1, "testcases": [named, client]}))
    return path


@pytest.mark.needs("openssl")
def test_a_difference_is_explained_by_the_id_of_its_case_and_shown_on_the_page(tmp_path: Path) -> None:
    openssl = next(one for one in VALIDATORS if one.name == "openssl")
    version = openssl.version() or ""
    matrix, clients = survey_limbo(_file(tmp_path), tmp_path, [Column(openssl, version, version)])
    assert clients == 1
    assert matrix.unexplained == ()
    rows = {
        subject.name: [(cell.word, cell.known.fault if cell.known else "") for cell in cells]
        for subject, cells in matrix.rows
    }
    assert rows == {
        "webpki::cn::not-in-san": [("accept", "webpki::cn::*")] * 2,
        "own::client": [("blind", ""), ("accept", "")],
    }
    text = page(matrix, clients)
    assert "| webpki::cn::not-in-san | ✕ | **✓** | **✓** |" in text
    assert "own::client" not in text
    assert any(line.startswith("rfc5280::san::malformed: ") for line in unused_reasons(matrix))


def test_a_reason_is_one_sentence_and_unique() -> None:
    places = Counter((one.fault, one.column, one.versions, one.words) for one in _GIVEN)
    assert [place for place, times in places.items() if times > 1] == []
    assert {one.column for one in _GIVEN} <= {one.name for one in VALIDATORS} | {"pkigen-verify"}
    for one in _GIVEN:
        assert one.reason.endswith("."), one
        assert one.kind in ("choice", "limit", "bug"), one


def test_the_recorded_page_has_the_reasons_of_the_files() -> None:
    text = PAGE.read_text("utf-8")
    listed = set(re.findall(r"^\| (.*?) \| (choice|limit|bug) \| ", text, re.MULTILINE))
    own = {
        (one.reason, one.kind)
        for one in _GIVEN
        if not one.fault.startswith("bettertls") and one.column not in OPTIONAL
    }
    assert own - listed == set(), "run: make limbo LIMBO=FILE"


def test_every_kind_of_limbo_has_a_counterpart_in_the_catalog() -> None:
    known = counterparts()
    listed = set(re.findall(r"^\| ([a-z0-9]+::\S+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    listed = {case for case in listed if not case.startswith("online::")}
    assert len(listed) > 100
    assert listed <= known.keys()
    faults = {fault for fault in known.values() if isinstance(fault, str)} - {SOUND}
    assert faults <= FAULTS.keys()
    assert all(one[0] == NONE and one[1] for one in known.values() if isinstance(one, list))


def test_the_page_has_the_counterparts() -> None:
    section = "\n".join(catalog_section())
    assert section in PAGE.read_text("utf-8"), "run: make limbo LIMBO=FILE"


@pytest.mark.parametrize(
    ("case", "expected", "words"),
    [
        ("rfc5280::validity::expired-leaf", "SUCCESS", "SUCCESS, but expired has class R"),
        ("crl::certificate-not-on-crl", "FAILURE", "FAILURE, but sound has class A"),
        ("rfc5280::nc::a-new-one", "FAILURE", "no counterpart"),
        ("rfc5280::validity::expired-leaf", "FAILURE", ""),
    ],
)
def test_a_counterpart_with_another_result_is_reported(
    tmp_path: Path, case: str, expected: str, words: str
) -> None:
    file = tmp_path / "limbo.json"
    file.write_text(json.dumps({"testcases": [{"id": case, "expected_result": expected}]}))
    reported = "".join(discrepancies(file))
    assert words in reported
    assert bool(reported) == bool(words)
