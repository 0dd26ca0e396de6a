"""From the first sign-in to a certificate in use, and out again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from pkigen.environment.environment import open_environment
from pkigen.lab.lab import Lab
from tests.lab.browser.conftest import NewPerson, Person, fingerprint, presented

pytestmark = pytest.mark.needs("chromium")


def test_a_wrong_password_is_rejected_with_a_visible_message(person: Person, lab: Lab) -> None:
    page = person.page
    page.goto(lab.appliance("sensor-03").url)
    expect(page).to_have_title("Sign in - sensor-03 - pkigen lab")
    person.looks("sign-in")
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The user name or password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    person.looks("sign-in-wrong")


def test_the_first_sign_in_ends_with_the_uploaded_certificate_in_use(person: Person, lab: Lab) -> None:
    sensor, page = lab.appliance("sensor-03"), person.page
    person.goes("sensor-03")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to sensor-03")
    person.looks("first-sign-in")
    before = presented(sensor)
    person.goes("sensor-03", "/alerts")
    expect(page, "no page but this one before it is decided").to_have_url(f"{sensor.url}/welcome")
    page.get_by_role("link", name="Upload a certificate").click()
    person.looks("upload")
    person.uploads("sensor-03.not-after-future-expired")
    expect(page.get_by_role("alert")).to_contain_text("This SSL certificate has expired")
    assert presented(sensor) == before
    person.looks("upload-refused-first-time")
    person.uploads("sensor-03")
    expect(page.get_by_role("status")).to_contain_text("The certificate was accepted.")
    expect(page.get_by_role("heading", level=2).first).to_have_text("sensor-03")
    assert presented(sensor) == fingerprint(lab, "sensor-03") != before
    person.looks("upload-accepted")


def test_keeping_the_local_certificate_requires_a_confirmation(people: NewPerson, lab: Lab) -> None:
    sensor, person = lab.appliance("sensor-03"), people()
    sensor.decided, sensor.local = False, True
    person.goes("sensor-03")
    person.page.get_by_role("button", name="Confirm: keep the self-signed certificate").click()
    expect(person.page.get_by_role("status").first).to_have_text(
        "The locally self-signed certificate stays in use."
    )
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Overview")
    sensor.local = False


def test_signing_out_leads_to_the_sign_in_page(person: Person, lab: Lab) -> None:
    person.goes("sensor-01", "/events")
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page.get_by_role("status")).to_have_text("You are signed out.")
    person.looks("signed-out")
    url = lab.appliance("sensor-01").url
    person.page.goto(f"{url}/events")
    expect(person.page).to_have_url(f"{url}/sign-in")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so, and see that the focus shows."""
    for _ in range(60):
        page.keyboard.press("Tab")
        stored = page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one);
                const ring = one.querySelector?.(".ring, rect.box");
                const shows = ring ? getComputedStyle(ring).stroke !== "none" : style.outlineStyle !== "none";
                const label = one.getAttribute("aria-label") || one.labels?.[0]?.textContent;
                return [(label || one.textContent).trim(), shows];
            }"""
        )
        if stored[0].startswith(name):
            assert stored[1], f"{name} has the focus, and does not show it"
            return
    pytest.fail(f"no Tab leads to {name}")


def _enter(page: Page) -> None:
    """Press Enter on what leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_first_sign_in_works_by_keyboard(person: Person, lab: Lab) -> None:
    page, keys = person.page, person.page.keyboard
    sensor = lab.appliance("sensor-02")
    page.goto(sensor.url)
    expect(page.get_by_label("Password")).to_be_focused()
    keys.type(lab.password)
    _enter(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    keys.press("Tab")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main", "the first Tab leads to the content"
    _tab_to(page, "sensor-02 to management-console")
    _enter(page)
    expect(page.get_by_role("heading", name="sensor-02 to management-console")).to_be_visible()
    _tab_to(page, "SSL/TLS certificate")
    _enter(page)
    _tab_to(page, "Upload another certificate")
    _enter(page)
    _tab_to(page, "Certificate name")
    keys.type("by hand")
    case = open_environment(lab.folder)["sensor-02"]
    page.on("filechooser", lambda _: None)  # from now on no dialog of the desktop opens
    for label, path in (("Private key", case.key), ("Certificate", case.certificate), ("Cert", case.chain)):
        _tab_to(page, label)
        with page.expect_file_chooser() as chooser:
            keys.press("Enter")
        chooser.value.set_files(path)
    _tab_to(page, "Upload")
    _enter(page)
    expect(page.get_by_role("heading", level=2).first).to_have_text("by hand")
    _tab_to(page, "Switch validation off")
    _enter(page)
    expect(
        page.get_by_text("Invalid certificates do not stop connections. The overview shows the errors.")
    ).to_be_visible()
    assert not sensor.mandatory
