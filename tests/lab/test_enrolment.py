"""Appliances that request their certificates: first certificate, renewal, errors, restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.environment.environment import open_environment
from pkigen.errors import InputError
from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.enrolment.appliance_enrolment import ApplianceEnrolment
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load
from tests.lab.conftest import Plant, document, presented

_SECONDS = 30.0
_NAMES = ["*.contoso.test"]


def _profile(out: Path, **enrolment: Any) -> Path:
    """Write a profile: sensor-03 enrolls through EST, sensor-02 through ACME."""
    profile = document()
    common = {"issuer": "issuing", "valid": "30d", "from_request": ["subject", "san"], "names": _NAMES}
    profile["enrolment"] = {
        "probes": {**common, "est": {"user": "device", "passphrase": "wonderful"}},
        "gateways": {**common, "acme": {}},
        **enrolment,
    }
    profile["lab"]["enroll"] = [
        {"template": "probes", "appliances": ["sensor-03"]},
        {"template": "gateways", "protocol": "acme", "appliances": ["sensor-02"]},
    ]
    path = out / "plant.yaml"
    path.write_text(yaml.safe_dump(profile))
    return path


@pytest.fixture
def enrolling(tmp_path: Path) -> Iterator[Plant]:
    path = _profile(tmp_path)
    folder = build(load(path), tmp_path).folder
    with running_lab(folder, load(path), web) as lab:
        plant = Plant(lab)
        try:
            yield plant
        finally:
            plant.close()


def _enrolment(plant: Plant, name: str) -> ApplianceEnrolment:
    enrolment = plant.lab.enrolments.of(plant.lab.appliance(name))
    assert enrolment is not None
    return enrolment


def _fingerprint(plant: Plant, name: str) -> str:
    return plant.lab.appliance(name).credential.leaf.fingerprint().hex()


def _issued(plant: Plant, sha256: str) -> dict[str, Any]:
    """What the manifest says about a certificate."""
    enrolled = open_environment(plant.lab.folder).manifest["enrolled"]
    return next(one for one in enrolled if one["sha256"] == sha256)


@pytest.mark.parametrize(("name", "protocol"), [("sensor-03", "est"), ("sensor-02", "acme")])
def test_an_appliance_obtains_and_presents_a_certificate(enrolling: Plant, name: str, protocol: str) -> None:
    assert enrolling.lab.enroll(name).accepted
    sha256 = _fingerprint(enrolling, name)
    assert presented(enrolling.lab.appliance(name).url) == sha256
    assert _issued(enrolling, sha256)["enrolment"]["protocol"] == protocol
    assert enrolling.is_(f"{name}:console", ConnectionState.CONNECTED)


@pytest.mark.parametrize("name", ["sensor-03", "sensor-02"])
def test_it_renews_when_two_thirds_of_the_validity_have_passed(enrolling: Plant, name: str) -> None:
    enrolling.lab.enroll(name)
    first, enrolment = _fingerprint(enrolling, name), _enrolment(enrolling, name)
    enrolling.lab.move_clock("19d")
    assert not enrolment.is_due
    enrolling.lab.move_clock("2d")
    assert enrolling.lab.scheduler.wait_until(lambda: _fingerprint(enrolling, name) != first, _SECONDS)
    leaf = enrolling.lab.appliance(name).credential.leaf
    assert leaf.not_after - enrolling.lab.clock() > timedelta(days=29)
    assert not enrolment.is_due
    assert enrolling.lab.enroll(name).accepted, "a certificate that is valid at the lab's clock only renews"


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("sensor-03", "est-unavailable", "status 503"),
        ("sensor-03", "est-raw-der", "cannot be used"),
        ("sensor-03", "est-pending", "has not decided"),
        ("sensor-02", "acme-bad-nonce", "badNonce"),
        ("sensor-02", "acme-order-invalid", "the order is invalid"),
        ("sensor-02", "acme-429-seconds", "rateLimited"),
        ("sensor-02", "acme-truncated-json", "cannot be used"),
        ("sensor-02", "acme-500-after-finalize", "status 500"),
        ("sensor-02", "expired", "refused"),
        ("sensor-02", "acme-location-missing", "cannot be used"),
    ],
)
def test_the_page_shows_the_error_of_a_fault_and_the_next_attempt_succeeds(
    enrolling: Plant, name: str, fault: str, words: str
) -> None:
    server, before = enrolling.lab.enrolment, _fingerprint(enrolling, name)
    assert server is not None
    server.fault(id=fault)
    with suppress(InputError):
        assert not enrolling.lab.enroll(name).accepted
    person, enrolment = enrolling.person(name), _enrolment(enrolling, name)
    assert words in enrolment.problem
    enrolling.lab.appliance(name).decided = True
    page = person.client.get("/certificate").text
    assert "last request failed" in page
    assert "after 1 failed attempt" in page
    assert enrolment.next_attempt is not None
    assert not enrolment.is_due
    server.clear()
    enrolling.lab.move_clock("1d")
    assert enrolling.lab.scheduler.wait_until(lambda: _fingerprint(enrolling, name) != before, _SECONDS)
    assert enrolment.problem == ""


def test_the_pause_between_attempts_doubles_and_respects_retry_after(enrolling: Plant) -> None:
    server, enrolment = enrolling.lab.enrolment, _enrolment(enrolling, "sensor-03")
    assert server is not None

    def pause() -> float:
        with pytest.raises(InputError):
            enrolling.lab.enroll("sensor-03")
        assert enrolment.next_attempt is not None
        return round((enrolment.next_attempt - enrolling.lab.clock()).total_seconds(), -1)

    server.fault(id="est-raw-der")
    assert [pause() for _ in range(3)] == [30, 60, 120]
    server.clear()
    server.fault(id="est-unavailable", after="2h")
    assert pause() == 7200


def test_the_first_sign_in_offers_to_enroll(enrolling: Plant) -> None:
    person = enrolling.person("sensor-03")
    assert "Enroll now" in person.client.get("/welcome").text
    answer = person.post("/certificate/enroll")
    assert answer.headers["location"] == "/certificate#enrollment"
    page = person.client.get("/certificate").text
    assert "The CA issued a certificate" in page
    assert "Renew now" in page
    console = enrolling.person("console").client.get("/enrolment").text
    assert "Appliances that request certificates" in console
    assert "device" in console


def test_the_rest_api_enrolls_and_reports_the_state(enrolling: Plant) -> None:
    api = enrolling.api("sensor-02")
    assert api.get("enrollment").json()["enrollment"]["enrolled"] is False
    assert api.post("enrollment").json()["accepted"] is True
    state = api.get("enrollment").json()["enrollment"]
    assert (state["enrolled"], state["protocol"], state["problem"]) == (True, "acme", None)
    refused = enrolling.api("sensor-01").post("enrollment")
    assert refused.status_code == 422
    assert "does not request certificates" in refused.json()["error"]
    assert enrolling.api("sensor-01").get("enrollment").json() == {"enrollment": None}


def test_an_upload_ends_the_automatic_renewal(enrolling: Plant) -> None:
    enrolling.lab.enroll("sensor-02")
    assert enrolling.lab.upload_case("sensor-02", "sensor-02").accepted
    enrolling.lab.move_clock("29d")
    assert not _enrolment(enrolling, "sensor-02").is_due


def test_the_lab_can_revoke_a_certificate_that_an_appliance_requested(enrolling: Plant) -> None:
    enrolling.lab.enroll("sensor-03")
    enrolling.lab.revoke("sensor-03")
    report = enrolling.check("sensor-03:console")
    assert "revoked" in " ".join(cause.message for cause in report.causes)
    with pytest.raises(InputError, match="the client certificate is revoked"):
        enrolling.lab.enroll("sensor-03")


def test_it_keeps_its_certificate_and_renews_it_after_a_restart(tmp_path: Path) -> None:
    path = _profile(tmp_path)
    folder = build(load(path), tmp_path).folder
    with running_lab(folder, load(path), web) as lab:
        lab.enroll("sensor-03")
        first, names = lab.appliance("sensor-03").credential, set(lab.appliances)
    with running_lab(folder, load(path), web) as lab:
        assert set(lab.appliances) == names, "a requested certificate is no appliance, whatever its name is"
        assert lab.appliance("sensor-03").credential == first
        lab.move_clock("21d")
        appliance = lab.appliance("sensor-03")
        assert lab.scheduler.wait_until(lambda: appliance.credential != first, _SECONDS)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"template": "probe", "appliances": ["sensor-03"]}, "there is no template 'probe'"),
        ({"template": "probes", "appliances": ["siem"]}, "matches no appliance of the lab"),
        (
            {"template": "probes", "protocol": "acme", "appliances": ["sensor-03"]},
            "the template 'probes' must offer acme",
        ),
    ],
)
def test_a_rule_that_cannot_apply_is_an_error_with_its_place(
    tmp_path: Path, rule: dict[str, Any], words: str
) -> None:
    path = _profile(tmp_path)
    profile = yaml.safe_load(path.read_text())
    profile["lab"]["enroll"] = [rule]
    path.write_text(yaml.safe_dump(profile))
    folder = build(load(path), tmp_path).folder
    with (
        pytest.raises(InputError, match=rf"plant\.yaml:\d+:\d+.*{words}"),
        running_lab(folder, load(path), web),
    ):
        pass
