"""Every page is looked at: contrast, width, labels, headings, overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.lab import Lab
from tests.lab.browser.conftest import EVERY_SHAPE, NewPerson, Person, built_with, settle

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(
    "path", ["/", "/certificate", "/certificate/upload", "/alerts", "/events", "/try", "/api", "/welcome"]
)
def test_a_page_has_the_expected_layout(person: Person, lab: Lab, path: str) -> None:
    settle(
        lab,
        lambda: all(connection.report.state is not ConnectionState.WAITING for connection in lab.connections),
    )
    for name, prefix in (("management-console", "console"), ("sensor-01", "sensor")):
        person.goes(name, path)
        person.looks(f"{prefix}{path.rstrip('/').replace('/', '-') or '-overview'}", EVERY_SHAPE)


def test_empty_pages_state_that_they_are_empty(person: Person, lab: Lab) -> None:
    sensor = lab.appliance("sensor-04")
    events = list(sensor.events)
    sensor.events.clear()
    person.goes("sensor-04", "/events")
    expect(person.page.locator("#events")).to_contain_text("No events yet.")
    person.looks("events-empty")
    sensor.events.extend(events)
    person.goes("sensor-04", "/alerts")
    expect(person.page.locator("#alerts")).to_contain_text("No alerts yet.")
    person.looks("alerts-empty")


def test_a_new_token_is_shown_once(person: Person, lab: Lab) -> None:
    person.goes("management-console", "/api")
    person.page.get_by_role("button", name="Create a new token").click()
    token = person.page.locator("code.token").inner_text()
    assert lab.console.accepts(token)
    person.looks("api-token")
    person.page.goto(f"{lab.console.url}/api")
    assert token not in person.page.content()


def test_error_pages_link_to_another_page(people: NewPerson, lab: Lab) -> None:
    person = people()
    person.goes("management-console")
    person.goes("management-console", "/nowhere")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Page not found")
    person.looks("error-404")
    person.page.get_by_role("link", name="Back to the overview").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Overview")
    person.goes("management-console", "/try")
    person.page.locator("input[name=csrf]").last.evaluate("one => { one.value = 'another'; }")
    person.page.locator("form").last.evaluate("one => one.submit()")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    person.looks("error-403")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of forty sensors, some with long names, that forward alerts themselves."""
    more = """\
certificates:
  "sensor-{05..38}": {issuer: ot-issuing, subject: {CN: "{{ name }}.contoso.test"}}
  "sensor-in-building-seven-floor-three-{01..02}": {issuer: ot-issuing, subject: {CN: "{{ name }}.test"}}
lab:
  fresh: []
  forwarding:
    - {name: siem, to: syslog, certificate: siem, sender: sensors}
    - {name: second-siem, to: syslog, certificate: siem, sender: sensors}
    - {name: soar, to: webhook, certificate: soar}
"""
    built = built_with(tmp_path_factory.mktemp("plant"), more)
    with ExitStack() as stack:
        yield built.raised(stack, tmp_path_factory.mktemp("lab"))


def test_forty_sensors_do_not_overlap(people: NewPerson, plant: Lab) -> None:
    settle(
        plant,
        lambda: all(connection.report.state is ConnectionState.CONNECTED for connection in plant.connections),
    )
    person = people(to=plant)
    plant.revoke("sensor-in-building-seven-floor-three-02")
    bad = plant.connection("sensor-in-building-seven-floor-three-02:management-console")
    settle(plant, lambda: bad.report.state is ConnectionState.HALTED)
    person.goes("management-console", f"/?link={bad.id}")
    boxes = person.page.locator("svg.wide .party text.name")
    expect(boxes.first).to_have_text("sensor-in-bui…oor-three-02")
    expect(person.page.get_by_text("The table below lists 28 more sensors")).to_be_visible()
    person.looks("overview-forty")
    person.goes("sensor-05")
    person.looks("overview-forwarding-sensor")
