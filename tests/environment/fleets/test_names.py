"""The certificates of fleets by name: renewal of their shards, and names that requests cannot have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.renew import renew
from pkigen.environment.sign import sign
from pkigen.errors import InputError
from pkigen.profile import load
from tests.certification_requests import request
from tests.environment.fleets.profiles import Row, rows, with_fleet
from tests.environment.profiles import changes


def _build(out: Path, count: int = 20, **certificates: Any) -> Path:
    document = with_fleet(count=count)
    document["certificates"] = {"console": {"issuer": "issuing"}, **certificates}
    path = out / "lab.yaml"
    path.write_text(json.dumps(document))
    return build(load(path), out / "out", BuildOptions(jobs=1)).folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _build(tmp_path)


def _changed(before: dict[str, Row], after: dict[str, Row]) -> set[int]:
    return {row["index"] for name, row in after.items() if row != before[name]}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("meter-12", range(9, 17)),
        ("certificates/meter-20", range(17, 21)),
        ("meter", range(1, 21)),
        ("meter-0*", range(1, 17)),
        ("*", range(1, 21)),
    ],
)
def test_a_renewal_reissues_the_shards_that_a_name_selects(folder: Path, name: str, changed: range) -> None:
    before = rows(folder)
    result = renew(folder, [name])
    assert _changed(before, rows(folder)) == set(changed)
    assert changes(result).get("console") == ("reissue" if name == "*" else None)


@pytest.mark.parametrize("name", ["meter-21", "meter-1", "meter-x", "other*"])
def test_a_renewal_of_an_unknown_name_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match="no such entity"):
        renew(folder, [name])


def test_a_renewal_of_a_fleet_that_left_the_profile_is_an_error(folder: Path) -> None:
    path = folder.parent.parent / "lab.yaml"
    document = json.loads(path.read_text())
    del document["fleets"]
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="cannot renew certificates/meter-09: no longer in the profile"):
        renew(folder, ["meter-12"])


def test_a_request_cannot_have_the_name_of_a_certificate_of_a_fleet(folder: Path) -> None:
    with pytest.raises(InputError, match="a certificate that is called 'meter-12'; choose another name"):
        sign(folder, request(), name="meter-12")
    assert sign(folder, request(), name="meter-21").name == "meter-21"


def test_a_fleet_cannot_take_the_name_of_a_requested_certificate(folder: Path, tmp_path: Path) -> None:
    sign(folder, request(), name="meter-21")
    with pytest.raises(InputError, match="a device requested a certificate that is called 'meter-21'"):
        _build(tmp_path, count=30)
