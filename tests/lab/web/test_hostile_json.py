"""Hostile JSON at every interface of the lab: an answer below 500, and every page opens afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.hostile_json import NAMES, bodies
from tests.lab.conftest import Person, Plant, built, document, up

Post = Callable[[bytes], httpx.Response]


@pytest.fixture(scope="module")
def small_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    profile = document()
    with up(built(profile, tmp_path_factory.mktemp("hostile")), profile) as started:
        yield started


@pytest.fixture(scope="module")
def person(small_plant: Plant) -> Person:
    return small_plant.person("console")


@pytest.fixture(scope="module")
def interfaces(small_plant: Plant) -> Iterator[dict[str, tuple[bytes, Post]]]:
    """A template of a body and how to send one, for each interface."""
    plant, api = small_plant, small_plant.api("console")
    plain = plant.client("console")
    hook = plant.lab.receivers["soar"].listener.url
    linked = {"Authorization": plant.lab.secret}
    with httpx.Client(base_url=hook, verify=False, trust_env=False) as receiver:  # noqa: S501  of no interest
        yield {
            "webhook": (
                b'{"alerts": [{"source": @, "title": @}], "more": @}',
                lambda body: receiver.post("/", content=body),
            ),
            "webhook, list": (b'{"alerts": @}', lambda body: receiver.post("/", content=body)),
            "alert": (
                b'{"title": @, "message": @, "severity": 5}',
                lambda body: api.post("alerts", content=body),
            ),
            "severity": (b'{"title": "x", "severity": @}', lambda body: api.post("alerts", content=body)),
            "validation": (b'{"mandatory": @}', lambda body: api.put("validation", content=body)),
            "link": (
                b'{"alerts": [{"id": @, "at": @, "source": @, "title": @, "message": @}], "from": @}',
                lambda body: plain.post("/link/alerts", content=body, headers=linked),
            ),
        }


INTERFACES = ("webhook", "webhook, list", "alert", "severity", "validation", "link")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interface", INTERFACES)
def test_hostile_json_is_answered_and_every_page_still_opens(
    interface: str, name: str, interfaces: dict[str, tuple[bytes, Post]], person: Person, small_plant: Plant
) -> None:
    template, post = interfaces[interface]
    for body in bodies(name, template):
        answer = post(body)
        assert answer.status_code < 500, (body[:80], answer.text)
        assert "error" in answer.json() or answer.status_code == 200
    for page in ("/alerts", "/events"):
        assert person.client.get(page).status_code == 200
    assert "alerts" in small_plant.api("console").get("alerts").json()
    # What was stored must not block the delivery to any receiver.
    for connection in small_plant.lab.connections_of(small_plant.lab.console):
        json.dumps([alert.as_json() for alert in connection.outbox.all()], ensure_ascii=False).encode()


def test_a_lone_surrogate_is_named_in_the_error(interfaces: dict[str, tuple[bytes, Post]]) -> None:
    for template, post in interfaces.values():
        (_, body, *_) = bodies("lone high surrogate", template)
        answer = post(body)
        assert answer.status_code == 400
        assert "lone surrogate" in answer.json()["error"]
