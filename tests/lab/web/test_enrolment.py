"""The console's page about enrollment: what was issued, and the faults of the server."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.environment.build.build import build
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load
from tests.certification_requests import request
from tests.lab.conftest import Plant, document


@pytest.fixture(scope="module")
def enrolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    out = tmp_path_factory.mktemp("enrolling")
    profile = document()
    profile.pop("requirements", None)
    issuer = next(one["issuer"] for one in profile["certificates"].values() if "issuer" in one)
    profile["enrolment"] = {"probes": {"issuer": issuer, "key": "ec-p256", "est": {}}}
    path = out / "plant.yaml"
    path.write_text(yaml.safe_dump(profile))
    folder = build(load(path), out).folder
    with running_lab(folder, load(path), web) as lab:
        plant = Plant(lab)
        try:
            yield plant
        finally:
            plant.close()


def _enroll(plant: Plant, name: str) -> httpx.Response:
    assert plant.lab.enrolment is not None
    return httpx.post(
        f"{plant.lab.enrolment.services[0].url}/simpleenroll",
        content=base64.b64encode(request(name, [name], encoding=Encoding.DER)),
        headers={"Content-Type": "application/pkcs10"},
        verify=ssl.create_default_context(cafile=plant.lab.folder / "trust.pem"),
    )


def test_the_page_shows_who_asked_and_what_was_issued(enrolling: Plant) -> None:
    person = enrolling.person("console")
    assert _enroll(enrolling, "probe-1.contoso.test").status_code == 200
    page = person.client.get("/enrolment").text
    assert "probe-1.contoso.test" in page
    assert "127.0.0.1" in page
    assert "EST" in page
    assert 'href="/enrolment"' in person.client.get("/").text


def test_a_switch_turns_a_fault_on_for_a_number_of_requests(enrolling: Plant) -> None:
    person = enrolling.person("console")
    answer = person.post("/enrolment/fault", {"fault": "est-unavailable", "to": "on", "times": "1"})
    assert answer.headers["location"] == "/enrolment"
    page = person.client.get("/enrolment").text
    assert "on, 1 left" in page
    assert _enroll(enrolling, "probe-2.contoso.test").status_code == 503
    assert _enroll(enrolling, "probe-2.contoso.test").status_code == 200
    person.post("/enrolment/fault", {"fault": "est-pending", "to": "on"})
    assert _enroll(enrolling, "probe-3.contoso.test").status_code == 202
    person.post("/enrolment/fault", {"fault": "est-pending", "to": "off"})
    assert _enroll(enrolling, "probe-3.contoso.test").status_code == 200


def test_an_unknown_fault_is_refused(enrolling: Plant) -> None:
    answer = enrolling.person("console").post("/enrolment/fault", {"fault": "nope", "to": "on"})
    assert answer.status_code == 422
    assert "no such fault" in answer.text


def test_only_the_console_of_a_lab_with_templates_has_the_page(enrolling: Plant, plant: Plant) -> None:
    assert enrolling.person("sensor-01").client.get("/enrolment").status_code == 404
    assert plant.person("console").client.get("/enrolment").status_code == 404
    assert 'href="/enrolment"' not in plant.person("console").client.get("/").text
