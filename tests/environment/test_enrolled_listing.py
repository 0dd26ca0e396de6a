"""Requested certificates in the manifest and their names, after any change of the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pkigen.environment.enrol import Enroller, read_request
from pkigen.environment.requested_certificate import free_name
from pkigen.environment.revoke import revoke
from tests.certification_requests import request
from tests.environment.enrolling import issue, listed, new_enroller


@pytest.fixture
def enroller(tmp_path: Path) -> Enroller:
    return new_enroller(tmp_path)


def test_a_revocation_by_another_process_stays_in_the_manifest(enroller: Enroller) -> None:
    issue(enroller, "a.test")
    revoke(enroller.folder, ["a.test"])
    issue(enroller, "b.test")
    current = listed(enroller)
    assert current["a.test"]["revoked"] is not None
    assert current["b.test"]["revoked"] is None


def test_a_manifest_that_was_changed_by_hand_is_read_again(enroller: Enroller) -> None:
    issue(enroller, "a.test")
    path = enroller.folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**manifest, "enrolled": []}), "utf-8")
    issue(enroller, "b.test")
    assert list(listed(enroller)) == ["a.test", "b.test"]


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 7, 8, 1000])
def test_a_free_name_is_found_with_few_lookups(taken: int) -> None:
    names = {"a.test" if number == 1 else f"a.test-{number}" for number in range(1, taken + 1)}
    lookups = list[str]()

    def is_taken(name: str) -> bool:
        lookups.append(name)
        return name in names

    name = free_name(read_request(request("a.test", ["a.test"])), is_taken)
    assert name == ("a.test" if taken == 0 else f"a.test-{taken + 1}")
    assert len(lookups) <= 25


def test_a_name_apart_from_case_is_taken(enroller: Enroller) -> None:
    assert [issue(enroller, name).name for name in ("a.test", "A.test")] == ["a.test", "A.test-2"]
