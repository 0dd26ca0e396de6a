"""The REST API: tokens, answers as the published document has them, and no answer but JSON."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from pkigen.lab.web.rest import prefix_of
from tests.lab.conftest import Plant

SENSOR = "sensor-01"
KEYS = ["title", "severity", "message"]
RESOURCES = (
    ("GET", "connections"),
    ("POST", "connections/check"),
    ("GET", "certificate"),
    ("POST", "certificate"),
    ("GET", "validation"),
    ("PUT", "validation"),
    ("GET", "switches"),
    ("PUT", "switches"),
    ("GET", "alerts"),
    ("POST", "alerts"),
    ("GET", "events"),
    ("GET", "enrollment"),
    ("POST", "enrollment"),
)


@pytest.fixture(scope="module")
def document(plant: Plant) -> dict[str, Any]:
    answer = plant.api(SENSOR).get("openapi.json", headers={"Authorization": ""})
    assert answer.status_code == 200, "it is published: without a token"
    data: dict[str, Any] = answer.json()
    return data


def _checked(document: dict[str, Any], answer: httpx.Response, path: str) -> Any:
    """Return the JSON of a response, after validation against the document."""
    operation = document["paths"][f"/{path}"][answer.request.method.lower()]
    schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    registry = Registry().with_resource("", Resource.from_contents(document, DRAFT202012))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    Draft202012Validator(_closed(document, schema), registry=registry).validate(body)
    return body


def _closed(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that allows no key that is not published."""
    if "$ref" in schema:
        return _closed(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {key: _closed(document, of) for key, of in schema["properties"].items()}
        closed["additionalProperties"] = False
    if "items" in schema:
        closed["items"] = _closed(document, schema["items"])
    return closed


def _ask(client: httpx.Client, method: str, path: str, plant: Plant) -> httpx.Response:
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", "certificate"): {"files": plant.files(SENSOR)},
        ("PUT", "validation"): {"json": {"mandatory": True}},
        ("PUT", "switches"): {"json": {"switches": {}}},
        ("POST", "alerts"): {"json": {"title": "A new device", "severity": 7, "message": "Modbus"}},
    }
    return client.request(method, path, **bodies.get((method, path), {}))


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    described = {(m.upper(), p[1:]) for p, methods in document["paths"].items() for m in methods}
    assert described == set(RESOURCES)
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"summary", "responses", "operationId"} <= operation.keys()


@pytest.mark.parametrize("name", [SENSOR, "console", "secondary"])
@pytest.mark.parametrize(("method", "path"), RESOURCES)
def test_every_response_matches_the_document(
    method: str, path: str, name: str, plant: Plant, document: dict[str, Any]
) -> None:
    if (method, path, name) == ("POST", "certificate", name) and name != SENSOR:
        answer = plant.api(name).post("certificate", files=plant.files(name))
    else:
        answer = _ask(plant.api(name), method, path, plant)
    # The appliances of this lab do not request certificates.
    assert answer.status_code == (422 if (method, path) == ("POST", "enrollment") else 200)
    _checked(document, answer, path)


def test_the_path_of_the_api_depends_on_the_kind_of_appliance(plant: Plant) -> None:
    assert prefix_of(plant.lab.appliance(SENSOR)) == "/api/external"
    assert prefix_of(plant.lab.console) == "/external"
    for name in (SENSOR, "console"):
        published = plant.api(name).get("openapi.json").json()
        assert published["servers"] == [
            {"url": plant.lab.appliance(name).url + prefix_of(plant.lab.appliance(name))}
        ]


@pytest.mark.parametrize(("method", "path"), [*RESOURCES, ("GET", "nothing"), ("POST", "nothing/at/all")])
def test_without_its_token_nothing_is_revealed_or_changed(
    method: str, path: str, plant: Plant, document: dict[str, Any]
) -> None:
    own, foreign = plant.token(SENSOR), plant.token("console")
    before = len(plant.lab.appliance(SENSOR).alerts)
    for header in ("", foreign, f"Bearer {own}", f"Token {own}", own[:-1], f"{own}x", "x" * 10_000):
        client = plant.api(SENSOR)
        client.headers["Authorization"] = header
        answer = _ask(client, method, path, plant)
        assert answer.status_code == 401, header
        assert "error" in answer.json()
        if f"/{path}" in document["paths"]:
            _checked(document, answer, path)
    assert len(plant.lab.appliance(SENSOR).alerts) == before


def test_a_new_token_replaces_the_previous_one(plant: Plant) -> None:
    appliance = plant.lab.appliance("secondary")
    first = appliance.new_token()
    assert appliance.accepts(first)
    second = appliance.new_token()
    assert appliance.accepts(second)
    assert not appliance.accepts(first)
    plant._tokens.pop("secondary", None)
    assert not plant.lab.appliance("sensor-02").accepts(""), "none was made yet"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_rejected_in_json(method: str, plant: Plant) -> None:
    for path in dict.fromkeys(path for _, path in RESOURCES):
        allowed = {m for m, p in RESOURCES if p == path}
        if method not in allowed:
            answer = plant.api(SENSOR).request(method, path)
            assert answer.status_code == 405, path
            assert set(answer.headers["allow"].split(", ")) == allowed
            assert f"does not support {method}" in answer.json()["error"]


def test_an_unknown_path_is_rejected_in_json(plant: Plant) -> None:
    for path in ("nothing", "alerts/", "certificate/upload", "openapi.json/x", "%00"):
        answer = plant.api(SENSOR).get(path)
        assert answer.status_code == 404, path
        assert "error" in answer.json()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "alerts", b"", 400, "not JSON"),
        ("POST", "alerts", b"{", 400, "not JSON"),
        ("POST", "alerts", b"\xff\xfe", 400, "not JSON"),
        ("POST", "alerts", b"[" * 60_000, 400, "not JSON"),
        ("POST", "alerts", b"9" * 5_000, 400, "not JSON"),
        ("POST", "alerts", b"[]", 400, "must be a JSON object"),
        ("POST", "alerts", b"{}", 422, "needs a title"),
        ("POST", "alerts", b'{"title": " "}', 422, "needs a title"),
        ("POST", "alerts", b'{"title": 1}', 422, "strings of an alert"),
        ("POST", "alerts", b'{"title": null}', 422, "strings of an alert"),
        ("POST", "alerts", b'{"title": "%s"}' % (b"x" * 1001), 422, "1,000 characters"),
        ("POST", "alerts", b'{"title": "x", "severity": 11}', 422, "from 0 to 10"),
        ("POST", "alerts", b'{"title": "x", "severity": NaN}', 400, "not a number"),
        ("POST", "alerts", b'{"title": "x", "severity": true}', 422, "from 0 to 10"),
        ("POST", "alerts", b'{"title": "x", "severity": "5"}', 422, "from 0 to 10"),
        ("POST", "alerts", b'{"title": "x", "id": "mine"}', 422, "Unknown key 'id'"),
        ("POST", "alerts", b'{"title": "x", "\\ud800": 1}', 400, "lone surrogate"),
        ("POST", "alerts", b'{"title": "x"}' + b" " * 70_000, 413, "larger than 64 KiB"),
        ("PUT", "validation", b"{}", 422, '{"mandatory": true}'),
        ("PUT", "validation", b'{"mandatory": "off"}', 422, '{"mandatory": true}'),
        ("PUT", "validation", b'{"mandatory": 0}', 422, '{"mandatory": true}'),
        ("PUT", "validation", b'{"mandatory": false, "more": 1}', 422, '{"mandatory": true}'),
        ("PUT", "validation", b"null", 400, "must be a JSON object"),
        ("PUT", "switches", b"{}", 422, "true or false for each switch"),
        ("PUT", "switches", b'{"switches": {"strict": 1}}', 422, "true or false for each switch"),
        ("PUT", "switches", b'{"switches": {"strict": true}}', 422, "Unknown switch 'strict'"),
    ],
)
def test_an_invalid_body_is_rejected_with_a_reason(
    method: str, path: str, body: bytes, status: int, words: str, plant: Plant, document: dict[str, Any]
) -> None:
    before = len(plant.lab.appliance(SENSOR).alerts)
    answer = plant.api(SENSOR).request(method, path, content=body)
    assert answer.status_code == status
    assert words in _checked(document, answer, path)["error"]
    assert len(plant.lab.appliance(SENSOR).alerts) == before
    assert plant.lab.appliance(SENSOR).mandatory


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["title", "severity", "message"]), inner)
        ),
        max_leaves=6,
    )
)
def test_any_json_gets_a_response_of_the_document(body: Any, plant: Plant, document: dict[str, Any]) -> None:
    data = json.dumps(body).encode("ascii")
    answer = plant.api(SENSOR).post("alerts", content=data)
    _checked(document, answer, "alerts")


def test_an_alert_is_shown_unmodified_and_forwarded(plant: Plant) -> None:
    api = plant.api(SENSOR)
    made = api.post("alerts", json={"title": "Ünïcode <b> & 'quotes'", "severity": 9}).json()
    assert api.get("alerts").json()["alerts"][0] == made
    assert made["source"] == SENSOR
    plant.check("sensor-01:console")
    assert plant.api("console").get("alerts").json()["alerts"][0] == made


def test_a_control_character_in_an_alert_is_made_visible(plant: Plant) -> None:
    made = plant.api(SENSOR).post("alerts", content=b'{"title": "a\\u0000\\nb"}').json()
    assert made["title"] == "a\\x00\\nb"


def test_the_validation_switch_applies_to_the_next_connection(plant: Plant) -> None:
    api = plant.api("console")
    assert api.put("validation", json={"mandatory": False}).json() == {"mandatory": False}
    states = {one["id"]: one["state"] for one in api.post("connections/check").json()["connections"]}
    api.put("validation", json={"mandatory": True})
    assert states["console:soar"] == "connected without validation"
    again = {one["id"]: one["state"] for one in api.post("connections/check").json()["connections"]}
    assert again["console:soar"] == "connected"


def test_a_rejected_upload_has_messages_and_remedies(plant: Plant, document: dict[str, Any]) -> None:
    files = plant.files("sensor-03.not-after-future-expired")
    answer = plant.api(SENSOR).post("certificate", files=files, data={"name": "old"})
    result = _checked(document, answer, "certificate")
    assert not result["accepted"]
    assert "expired" in result["messages"][0]["message"]
    assert result["messages"][0]["advice"]


@pytest.fixture
def linked(plant: Plant) -> httpx.Client:
    return plant.client("console", headers={"Authorization": plant.lab.secret})


@pytest.mark.parametrize("secret", ["", "wrong", "token", "secret in the wrong scheme"])
def test_only_appliances_of_the_lab_can_send_alerts(secret: str, plant: Plant) -> None:
    headers = {"token": plant.token("console"), "secret in the wrong scheme": f"Bearer {plant.lab.secret}"}
    before = len(plant.lab.console.alerts)
    client = plant.client("console", headers={"Authorization": headers.get(secret, secret)})
    answer = client.post("/link/alerts", json={"alerts": [{"id": "1", "title": "forged"}]})
    assert answer.status_code == 401
    assert len(plant.lab.console.alerts) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"alerts": 1}', 422),
        (b'{"alerts": [1]}', 422),
        (b'{"alerts": [{}]}', 422),
        (b'{"alerts": "x"}', 422),
        (b" " * 700_000, 413),
    ],
)
def test_alerts_over_a_connection_are_checked(body: bytes, status: int, linked: httpx.Client) -> None:
    answer = linked.post("/link/alerts", content=body)
    assert answer.status_code == status
    assert "error" in answer.json()


def test_a_repeated_alert_is_accepted_once(linked: httpx.Client, plant: Plant) -> None:
    one = {"id": "twice", "at": "2026-01-01T00:00:00Z", "source": SENSOR, "title": "Twice"}
    assert linked.post("/link/alerts", json={"alerts": [one, one]}).json() == {"taken": 1}
    assert linked.post("/link/alerts", json={"alerts": [one]}).json() == {"taken": 0}
    assert [alert.id for alert in plant.lab.console.alerts].count("twice") == 1
    assert linked.get("/link/alerts").status_code == 405
