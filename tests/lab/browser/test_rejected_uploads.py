"""Each refusal that is documented, as a person sees it; what was in use stays in use."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pkigen.lab.lab import Lab
from tests.lab.browser.conftest import Person, fingerprint, presented

pytestmark = pytest.mark.needs("chromium")

UNREACHABLE = (
    "The CRL (Certificate Revocation List) location is not reachable. "
    "Verify the URL can be accessed from this appliance"
)
# The case to upload, the message that is documented for it, and a word of what to do.
REFUSALS = {
    "key-opens-wrong": ("Passphrase does not match to the key", "Enter the passphrase"),
    "chain-issuer-other-ca": (
        "Cannot validate chain of trust. The provided Certificate and Root CA don't match.",
        "Upload a chain that contains the CA",
    ),
    "not-after-future-expired": (
        "This SSL certificate has expired and isn't considered valid.",
        "Renew the certificate",
    ),
    "not-revoked-revoked": (
        "This certificate has been revoked by the CRL and can't be trusted for a secure connection",
        "Request a new certificate",
    ),
    "crl-reachable-unpublished": (UNREACHABLE, "Make sure that the appliance can reach the CRL URL"),
    "key-matches-other": ("Certificate validation failed", "Correct the listed problems"),
    "not-before-past-not-yet-valid": ("Certificate validation failed", "Correct the listed problems"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_rejected_upload_shows_the_documented_message_and_changes_nothing(
    person: Person, lab: Lab, fault: str
) -> None:
    message, advice = REFUSALS[fault]
    sensor, page = lab.appliance("sensor-01"), person.page
    before = presented(sensor)
    assert before == fingerprint(lab, "sensor-01")
    person.goes("sensor-01", "/certificate/upload")
    person.uploads(f"sensor-03.{fault}")
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading", level=2)).to_have_text("The certificate was not installed")
    expect(alert.get_by_role("heading", level=3)).to_have_text([message])
    expect(alert).to_contain_text(f"What to do: {advice}")
    expect(alert).to_contain_text("The previous certificate stays in use: sensor-01.contoso.test")
    assert "PRIVATE KEY" not in page.content()
    assert presented(sensor) == before
    person.looks(f"refused-{fault}")
    person.goes("sensor-01", "/events")
    expect(page.locator("#events tbody tr").first).to_contain_text(message)


def test_a_file_that_is_too_large_is_rejected(person: Person, lab: Lab) -> None:
    sensor, page = lab.appliance("sensor-01"), person.page
    person.goes("sensor-01", "/certificate/upload")
    large = {"name": "large.key", "mimeType": "text/plain", "buffer": b"x" * 300_000}
    page.get_by_label("Certificate name").fill("large")
    page.get_by_label("Private key").set_input_files(large)  # type: ignore[arg-type]
    page.get_by_label("Certificate (CRT file)").set_input_files(large)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("too large; the maximum is 256 KiB.")
    assert presented(sensor) == fingerprint(lab, "sensor-01")
    person.looks("refused-too-large")


def test_without_the_check_of_the_crl_a_revoked_certificate_is_installed(person: Person, lab: Lab) -> None:
    person.goes("sensor-02", "/certificate/upload")
    person.uploads("sensor-03.not-revoked-revoked", crl_check=False)
    expect(person.page.get_by_role("status")).to_contain_text("The certificate was accepted.")
    assert presented(lab.appliance("sensor-02")) == fingerprint(lab, "sensor-03.not-revoked-revoked")
    expect(person.page.locator("ol.path li").first).to_contain_text("revoked by its CA")
    expect(person.page.locator("main .mark").first).to_contain_text("revoked")
    person.looks("certificate-revoked")
