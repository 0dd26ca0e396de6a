"""The page to break things with: the shelf, revocation, the CRL server, the clock."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.lab import Lab
from tests.lab.browser.conftest import Person, fingerprint, presented, settle

pytestmark = pytest.mark.needs("chromium")


def test_the_prepared_files_include_an_expired_certificate(person: Person, lab: Lab) -> None:
    person.goes("sensor-01", "/try")
    person.looks("try-sensor")
    person.page.get_by_role("button", name="Upload sensor-03.not-after-future-expired").click()
    expect(person.page.get_by_role("alert")).to_contain_text("This SSL certificate has expired")
    assert presented(lab.appliance("sensor-01")) == fingerprint(lab, "sensor-01")
    person.page.get_by_role("link", name="Back to the samples").click()
    person.page.get_by_role("button", name="Upload sensor-01", exact=True).click()
    expect(person.page.get_by_role("status")).to_contain_text("The certificate was accepted.")


def test_an_unsupported_feature_is_accepted_with_a_warning(person: Person, lab: Lab) -> None:
    person.goes("sensor-01", "/try")
    person.page.get_by_text("more that are accepted but not supported").click()
    person.looks("try-unsupported")
    person.page.get_by_role("button", name="Upload sensor-03.public-key-rsa-ec-p256").click()
    expect(person.page.get_by_text("Accepted, but not supported.").first).to_be_visible()
    expect(person.page.locator("table tbody tr").first).to_contain_text("Not supported")
    person.looks("upload-unsupported")
    lab.upload_case("sensor-01", "sensor-01")


def test_a_sensor_is_revoked_and_unrevoked(person: Person, lab: Lab) -> None:
    page, connection = person.page, lab.connection("sensor-02:management-console")
    person.goes("sensor-02", "/try")
    page.get_by_role("button", name="Revoke this sensor").click()
    expect(page.get_by_role("status")).to_contain_text("The CA revoked the certificate of sensor-02.")
    settle(lab, lambda: connection.report.state is ConnectionState.HALTED)
    page.get_by_role("button", name="Lift the revocation").click()
    settle(lab, lambda: connection.report.state is ConnectionState.CONNECTED)
    expect(page.get_by_role("button", name="Revoke this sensor")).to_be_visible()


def test_the_console_revokes_the_certificate_of_another_appliance(person: Person, lab: Lab) -> None:
    page, connection = person.page, lab.connection("management-console:siem")
    person.goes("management-console", "/try")
    page.get_by_label("Appliance or alert receiver").select_option("siem")
    page.get_by_role("button", name="Revoke", exact=True).click()
    settle(lab, lambda: connection.report.state is ConnectionState.HALTED)
    expect(page.locator("option", has_text="siem (revoked)")).to_have_count(1)
    person.looks("try-console")
    page.get_by_label("Appliance or alert receiver").select_option("siem")
    page.get_by_role("button", name="Lift a revocation").click()
    settle(lab, lambda: connection.report.state is ConnectionState.CONNECTED)


def test_without_the_crl_server_every_connection_stops(person: Person, lab: Lab) -> None:
    lab.upload_case("sensor-03", "sensor-03")
    page = person.page
    person.goes("management-console", "/try")
    page.get_by_role("button", name="Stop the CRL server").click()
    page.get_by_role("link", name="Open the overview").click()
    expect(page.get_by_role("heading", name="All 7 connections are halted.")).to_be_visible()
    expect(page.locator("#chosen")).to_contain_text("The CRL (Certificate Revocation List) location")
    person.looks("overview-crl-server-stopped")
    page.goto(f"{lab.console.url}/certificate")
    person.looks("certificate-crl-server-stopped")
    page.goto(f"{lab.console.url}/events")
    person.looks("events")
    page.goto(f"{lab.console.url}/try")
    page.get_by_role("button", name="Start the CRL server").click()
    page.get_by_role("link", name="Open the overview").click()
    expect(page.get_by_role("heading", name="All 7 connections are up.")).to_be_visible()


def test_next_month_a_certificate_has_expired(person: Person, lab: Lab) -> None:
    page = person.page
    person.goes("management-console", "/try")
    page.get_by_role("button", name="Move the clock forward by one month").click()
    expect(page.locator("#strip")).to_contain_text("(ahead)")
    person.looks("try-next-month")
    page.goto(f"{lab.console.url}/?link=sensor-04:management-console")
    expect(page.locator("#chosen")).to_contain_text("This SSL certificate has expired")
    person.looks("overview-next-month")
    person.goes("sensor-04", "/certificate")
    expect(page.locator("ol.path li").first).to_contain_text("expired on")
    person.looks("certificate-expired")
    person.goes("management-console", "/try")
    page.get_by_role("button", name="Reset the clock").click()
    settle(
        lab, lambda: lab.connection("sensor-04:management-console").report.state is ConnectionState.CONNECTED
    )
