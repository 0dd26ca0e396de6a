"""The overview follows what becomes of connections, and says why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.lab import Lab
from tests.lab.browser.conftest import NewPerson, Person, settle

pytestmark = pytest.mark.needs("chromium")
REVOKED = "This certificate has been revoked by the CRL and can't be trusted for a secure connection"


def edge(page: Page, connection: str) -> Locator:
    """A connection in the drawing of wide screens."""
    return page.locator(f"svg.wide [data-link='{connection}']")


def _all_up(lab: Lab) -> None:
    lab.upload_case("sensor-03", "sensor-03")
    settle(
        lab,
        lambda: all(connection.report.state is ConnectionState.CONNECTED for connection in lab.connections),
    )


def test_a_revoked_sensor_turns_its_edge_red_without_a_reload_until_unrevoked(
    person: Person, lab: Lab
) -> None:
    _all_up(lab)
    page, connection = person.page, "sensor-02:management-console"
    person.goes("management-console")
    expect(page.get_by_role("heading", name="All 7 connections are up.")).to_be_visible()
    expect(edge(page, connection)).to_have_class("edge good")
    person.looks("overview-all-up")
    page.evaluate("window.sameDocument = true")

    lab.revoke("sensor-02")
    expect(edge(page, connection)).to_have_class("edge bad")
    expect(page.locator("#said")).to_have_text("1 of 7 connections is halted.")
    assert page.evaluate("window.sameDocument"), "the page was not reloaded"
    person.looks("overview-one-halted")

    edge(page, connection).click()
    chosen = page.locator("#chosen")
    expect(chosen.get_by_role("heading", level=3).first).to_have_text(REVOKED)
    expect(chosen).to_contain_text(
        "management-console found this error in the certificate sensor-02.contoso.test"
    )
    blamed = chosen.locator("ol.path li.bad")
    expect(blamed).to_have_text(re.compile("sensor-02.contoso.test\\s+error"))
    person.looks("overview-chosen")

    lab.raise_alert("sensor-02", "Seen while it is halted")
    expect(chosen.locator("dd").nth(1)).to_have_text("1")
    lab.unrevoke("sensor-02")
    expect(edge(page, connection)).to_have_class("edge good chosen")
    expect(chosen.locator("dd").nth(1)).to_have_text("0")
    assert any(one.title == "Seen while it is halted" for one in lab.console.alerts)


def test_without_validation_the_connection_continues_with_a_warning(person: Person, lab: Lab) -> None:
    _all_up(lab)
    page, connection = person.page, "sensor-02:management-console"
    lab.revoke("sensor-02")
    settle(lab, lambda: lab.connection(connection).report.state is ConnectionState.HALTED)
    person.goes("management-console", "/certificate")
    page.get_by_role("button", name="Switch validation off").click()
    expect(page.get_by_role("status")).to_contain_text("off; invalid certificates do not stop connections")
    expect(page.locator("#strip")).to_contain_text("Validation off")
    person.looks("certificate-validation-off")
    page.get_by_role("link", name="Overview").click()
    expect(edge(page, connection)).to_have_class("edge notice")
    expect(page.get_by_role("heading", name="None of the 7 connections is validated.")).to_be_visible()
    person.looks("overview-validation-off")
    edge(page, connection).click()
    expect(page.locator("#chosen")).to_contain_text(
        "the connection continues although the certificate is invalid"
    )
    person.looks("overview-validation-off-chosen")

    page.goto(f"{lab.console.url}/certificate")
    page.get_by_role("button", name="Make validation mandatory").click()
    page.get_by_role("link", name="Overview").click()
    expect(edge(page, connection)).to_have_class("edge bad")
    lab.unrevoke("sensor-02")
    expect(edge(page, connection)).to_have_class("edge good")


def test_the_focus_survives_a_refresh_of_the_page(person: Person, lab: Lab) -> None:
    _all_up(lab)
    page, connection = person.page, "sensor-04:management-console"
    person.goes("management-console")
    edge(page, connection).focus()
    lab.revoke("sensor-01")
    expect(edge(page, "sensor-01:management-console")).to_have_class("edge bad")
    assert page.evaluate("document.activeElement.dataset.link") == connection
    lab.unrevoke("sensor-01")


def test_an_alert_appears_without_a_reload(person: Person, lab: Lab) -> None:
    _all_up(lab)
    page = person.page
    person.goes("management-console", "/alerts")
    page.get_by_label("Title").fill("Somebody reprograms a PLC")
    page.get_by_role("button", name="Raise alert").click()
    expect(page.locator("#received")).to_contain_text("CEF:0|")
    expect(page.locator("#received code", has_text="Somebody reprograms a PLC")).to_have_count(2)
    person.looks("alerts")


def test_the_console_works_without_scripts(people: NewPerson, lab: Lab) -> None:
    _all_up(lab)
    person = people(scripts=False)
    page = person.page
    person.goes("management-console")
    lab.revoke("sensor-01")
    settle(lab, lambda: lab.connection("sensor-01:management-console").report.state is ConnectionState.HALTED)
    page.get_by_role("link", name="reload").click()
    edge(page, "sensor-01:management-console").click()
    expect(page.locator("#chosen")).to_contain_text(REVOKED)
    lab.unrevoke("sensor-01")
    page.get_by_role("button", name="Retry now").click()
    expect(page.locator("#chosen")).to_contain_text("The certificates are valid and not revoked.")
