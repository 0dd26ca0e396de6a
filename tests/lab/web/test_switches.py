"""Switches of requirement sets in the lab: in the console, over the API, and after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import Plant, built, document, up

SENSOR = "sensor-01"
SET = """
name: strict-names
title: Strict names
source: {title: Documentation, date: "2026"}
switches: {strict: off, short-lived: off}
roles: {sensor: {says: A sensor}}
requirements:
  - id: locality
    demand: {subject_attribute: {type: L, required: true}}
    when: strict
    level: rejected
    says: The subject has a locality.
  - id: a-week
    demand: {validity: {maximum: 7d}}
    when: short-lived
    level: rejected
    says: The certificate is valid for a week.
"""


@pytest.fixture
def profile(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "strict-names.yaml"
    path.write_text(SET)
    profile = document()
    own = {"requirements": [{"set": str(path), "role": "sensor"}]}
    for name in ("sensor-{01..03}",):
        profile["certificates"][name].update(own)
    return profile


@pytest.fixture
def folder(profile: dict[str, Any], tmp_path: Path) -> Path:
    return built(profile, tmp_path / "out")


@pytest.fixture
def plant(folder: Path, profile: dict[str, Any]) -> Iterator[Plant]:
    with up(folder, profile) as started:
        yield started


def _details(plant: Plant) -> str:
    response = plant.api(SENSOR).post("certificate", files=plant.files(SENSOR))
    return " ".join(text for message in response.json()["messages"] for text in message["found"])


def test_a_switch_applies_to_the_next_upload(plant: Plant) -> None:
    api = plant.api(SENSOR)
    assert api.get("switches").json() == {"switches": {"strict": False, "short-lived": False}}
    assert _details(plant) == ""
    answer = api.put("switches", json={"switches": {"strict": True}})
    assert answer.json() == {"switches": {"strict": True, "short-lived": False}}
    assert "locality" in _details(plant)
    assert "week" not in _details(plant)
    api.put("switches", json={"switches": {"strict": False, "short-lived": True}})
    assert "week" in _details(plant)
    assert "locality" not in _details(plant)


def test_the_console_shows_and_sets_the_switches_of_an_appliance(plant: Plant) -> None:
    person = plant.person(SENSOR)
    assert "<code>strict</code>" in person.client.get("/certificate").text
    assert person.post("/switch", {"name": "strict", "to": "on"}).status_code == 303
    page = person.client.get("/certificate").text
    assert "strict&#39; is on" in page
    assert 'aria-label="Switch strict off"' in page
    assert "locality" in page, "the requirement is listed with its result"
    assert person.post("/switch", {"name": "strct", "to": "on"}).status_code == 422
    other = plant.person("console")
    assert "<code>strict</code>" not in other.client.get("/certificate").text
    assert other.post("/switch", {"name": "strict", "to": "on"}).status_code == 422


def test_an_unknown_switch_is_an_error_and_sets_none(plant: Plant) -> None:
    api = plant.api(SENSOR)
    answer = api.put("switches", json={"switches": {"strict": True, "strct": True}})
    assert answer.status_code == 422
    assert "strict, short-lived" in answer.json()["error"]
    assert api.get("switches").json()["switches"]["strict"] is False


def test_a_switch_is_kept_over_a_restart(folder: Path, profile: dict[str, Any]) -> None:
    with up(folder, profile) as first:
        first.lab.set_switch(SENSOR, "strict", on=True)
        first.lab.save()
    with up(folder, profile) as second:
        assert second.api(SENSOR).get("switches").json()["switches"]["strict"] is True
        assert "locality" in _details(second)
