"""A certificate on an appliance: its own at first, then what was accepted, from the next connection on."""

from __future__ import annotations

import json
import ssl
import stat
import sys
from pathlib import Path

import pytest

from pkigen.lab.state import FOLDER
from pkigen.x509 import Certificate
from tests.lab.conftest import Plant, built, document, presented, up
from tests.openssl import with_new_names
from tests.tools import run


def _leaf(plant: Plant, name: str) -> Certificate:
    return plant.lab.appliance(name).credential.leaf


def test_a_new_appliance_presents_a_self_signed_certificate(plant: Plant) -> None:
    fresh = plant.lab.appliance("sensor-03")
    assert presented(fresh.url) == fresh.credential.leaf.fingerprint().hex()
    assert fresh.local
    assert not fresh.decided
    assert fresh.credential.leaf.is_self_issued
    assert not plant.lab.appliance("sensor-01").local
    assert presented(plant.lab.appliance("sensor-01").url) == plant.sha256("sensor-01")


def test_an_accepted_certificate_is_presented_from_the_next_connection_on(own_plant: Plant) -> None:
    url = own_plant.lab.appliance("sensor-03").url
    # A connection of before goes on with what it was shown.
    before = own_plant.api("sensor-03")
    assert before.get("certificate").json()["locally_self_signed"]
    answer = own_plant.api("sensor-03").post("certificate", files=own_plant.files("sensor-03"))
    assert answer.json() == {"accepted": True, "messages": [], "unsupported": [], "notes": []}
    for host in ("sensor-03.contoso.test", "another.test", ""):
        assert presented(url, host) == own_plant.sha256("sensor-03"), host
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        certificate = presented(url, minimum_version=version, maximum_version=version)
        assert certificate == own_plant.sha256("sensor-03")
    assert before.get("certificate").json()["sha256"] == own_plant.sha256("sensor-03")


@pytest.mark.needs("openssl")
def test_openssl_verifies_an_appliance_after_its_upload(own_plant: Plant) -> None:
    own_plant.api("sensor-03").post("certificate", files=own_plant.files("sensor-03"))
    sensor = own_plant.lab.appliance("sensor-03")
    trust = own_plant.lab.folder / "trust.pem"
    where = f"127.0.0.1:{sensor.endpoint.listener.port}"
    name = ("-verify_hostname", "sensor-03.contoso.test", "-verify_return_error")
    output = run("openssl", "s_client", "-connect", where, "-CAfile", trust, *name)
    assert "Verify return code: 0 (ok)" in output
    assert "CN=sensor-03.contoso.test" in with_new_names(output)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_session_resumption_does_not_present_the_old_certificate(
    version: str, own_plant: Plant, tmp_path: Path
) -> None:
    sensor = own_plant.lab.appliance("sensor-03")
    where, session = f"127.0.0.1:{sensor.endpoint.listener.port}", tmp_path / "session.pem"
    ask = ("openssl", "s_client", "-connect", where, version, "-no_ticket")
    run(*ask, "-sess_out", session)
    own_plant.lab.upload_case("sensor-03", "sensor-03")
    output = run(*ask, *(("-sess_in", session) if session.is_file() else ()))
    assert "CN=sensor-03.contoso.test" in with_new_names(output)
    assert "Reused" not in output


def test_a_rejected_upload_changes_nothing(plant: Plant) -> None:
    sensor = plant.lab.appliance("sensor-02")
    path = plant.lab.folder / FOLDER / "appliance-sensor-02.pem"
    before, file = presented(sensor.url), path.read_bytes()
    result = plant.lab.upload_case("sensor-02", "sensor-03.not-after-future-expired")
    assert not result.accepted
    assert presented(sensor.url) == before == plant.sha256("sensor-02")
    assert path.read_bytes() == file
    assert sensor.events[-1].grade == "bad"
    assert "expired" in sensor.events[-1].text


def test_a_key_that_openssl_does_not_load_is_rejected_with_a_reason(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(path: Path) -> ssl.SSLContext:
        raise ssl.SSLError(1, "[SSL: EE_KEY_TOO_SMALL] ee key too small")

    monkeypatch.setattr("pkigen.lab.appliance.appliance.server_context", cannot)
    before = presented(plant.lab.appliance("sensor-01").url)
    result = plant.lab.upload_case("sensor-01", "sensor-01")
    assert not result.accepted
    assert result.messages[0].text == "Certificate validation failed"
    assert "cannot present" in result.messages[0].details[0]
    assert presented(plant.lab.appliance("sensor-01").url) == before


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    profile = document()
    folder = built(profile, tmp_path)
    with up(folder, profile) as plant:
        assert plant.lab.upload_case("sensor-03", "sensor-03").accepted
        plant.lab.set_validation("sensor-02", mandatory=False)
        token, password = plant.token("sensor-01"), plant.lab.password
        plant.lab.raise_alert("sensor-01", "Somebody was here")
        plant.lab.move_clock("36h")
        events = [event.text for event in plant.lab.appliance("sensor-03").events]
    with up(folder, profile) as again:
        assert again.lab.password == password
        assert again.lab.appliance("sensor-01").accepts(token)
        assert presented(again.lab.appliance("sensor-03").url) == again.sha256("sensor-03")
        assert not again.lab.appliance("sensor-03").local
        assert not again.lab.appliance("sensor-02").mandatory
        assert [one.title for one in again.lab.appliance("sensor-01").alerts] == ["Somebody was here"]
        assert [e.text for e in again.lab.appliance("sensor-03").events][: len(events)] == events
        assert again.lab.clock.ahead.total_seconds() == pytest.approx(36 * 3600)


def test_the_first_state_is_saved_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the lab be killed before its first round, the password is still the one that was printed."""
    monkeypatch.setattr("pkigen.lab.connections.scheduler.ConnectionScheduler._run", lambda scheduler: None)
    profile = document()
    folder = built(profile, tmp_path)
    with up(folder, profile) as plant:
        state = json.loads((folder / FOLDER / "lab.json").read_text())
        assert state["password"] == plant.lab.password


def test_imported_trust_survives_a_restart(tmp_path: Path) -> None:
    profile = document()
    folder = built(profile, tmp_path)
    with up(folder, profile) as plant:
        files = plant.files("sensor-01", "certificate", "key")
        # The issuing CA alone: the root it knows from before.
        chain = plant.case("sensor-01").chain.read_bytes()
        issuing = chain[: chain.index(b"-----END CERTIFICATE-----\n") + 26]
        answer = plant.api("sensor-01").post("certificate", files={**files, "chain": ("chain.pem", issuing)})
        assert answer.json()["accepted"]
        assert plant.check("sensor-01:console").state == "connected"
    with up(folder, profile) as again:
        assert again.check("sensor-01:console").state == "connected"


def test_uploads_stay_and_preinstalled_certificates_follow_the_environment(tmp_path: Path) -> None:
    profile = document()
    folder = built(profile, tmp_path)
    with up(folder, profile) as plant:
        uploaded = plant.lab.upload_case("sensor-01", "short")
        assert uploaded.accepted
    # Another address of the CRL server: every certificate is reissued.
    changed = {**profile, "base_url": document()["base_url"]}
    built(changed, tmp_path)
    with up(folder, changed) as plant:
        assert presented(plant.lab.appliance("sensor-02").url) == plant.sha256("sensor-02")
        assert plant.lab.appliance("sensor-01").title == "short"
        assert plant.lab.appliance("sensor-03").local
        assert plant.check("sensor-02:console").state == "connected"
        installed = [e for e in plant.lab.appliance("sensor-02").events if "installed" in e.text]
        assert len(installed) == 2
    with up(folder, changed) as plant:
        installed = [e for e in plant.lab.appliance("sensor-02").events if "installed" in e.text]
        assert len(installed) == 2, "nothing was issued in between"


def test_appliances_can_be_added_and_removed(tmp_path: Path) -> None:
    profile = document()
    folder = built(profile, tmp_path)
    with up(folder, profile) as plant:
        plant.lab.raise_alert("sensor-02", "before")
    changed = {**profile, "lab": {"console": "secondary", "sensors": ["sensor-02", "short"]}}
    with up(folder, changed) as plant:
        assert set(plant.lab.appliances) == {"secondary", "sensor-02", "short"}
        assert [one.title for one in plant.lab.appliance("sensor-02").alerts] == ["before"]
        assert plant.check("sensor-02:secondary").state == "connected"


def test_a_key_with_a_passphrase_of_the_profile_is_decrypted(tmp_path: Path) -> None:
    profile = document(sensors=["sealed"], fresh=[])
    profile["authorities"]["issuing"]["passphrase"] = "of the CA"
    with up(built(profile, tmp_path), profile) as plant:
        assert presented(plant.lab.appliance("sealed").url) == plant.sha256("sealed")
        assert plant.lab.upload_case("sealed", "sealed").accepted
        plant.lab.revoke("sealed")
        assert plant.check("sealed:console").state == "halted"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of this kind")
def test_saved_files_are_readable_only_by_their_owner(plant: Plant) -> None:
    plant.lab.save()
    folder = plant.lab.folder / FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.iterdir() if not path.name.startswith("lock.")]
    assert len(files) > 10
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {
        path.name: 0o600 for path in files
    }


def test_a_file_of_another_appliance_is_not_used(tmp_path: Path) -> None:
    """Appliances may be called as the lab's own files are."""
    profile = document(sensors=["lab", "outboxes", "running", "receiver-siem"], fresh=[])
    for name in profile["lab"]["sensors"]:
        profile["certificates"][name] = {"issuer": "issuing", "subject": {"CN": f"{name}.contoso.test"}}
    folder = built(profile, tmp_path)
    for _ in range(2):
        with up(folder, profile) as plant:
            for name in profile["lab"]["sensors"]:
                assert presented(plant.lab.appliance(name).url) == plant.sha256(name)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("lab.json", {"ahead": "soon"}, "clock is corrupt"),
        ("lab.json", {"ahead": 1e300}, "clock is corrupt"),
        ("appliance-sensor-01.json", {"events": [1]}, "state of sensor-01 is corrupt"),
        (
            "appliance-sensor-01.json",
            {"events": [{"at": "", "grade": "worse", "text": ""}]},
            "state of sensor-01 is corrupt",
        ),
        ("appliance-sensor-01.json", {"anchors": ["?"]}, "state of sensor-01 is corrupt"),
        ("appliance-sensor-01.pem", "no key", "state of sensor-01 is corrupt"),
    ],
)
def test_a_damaged_file_is_reported_by_name(name: str, content: object, words: str, tmp_path: Path) -> None:
    from pkigen.errors import InputError

    profile = document(sensors=["sensor-01"], fresh=[])
    folder = built(profile, tmp_path)
    with up(folder, profile):
        pass
    (folder / FOLDER / name).write_text(json.dumps(content))
    with pytest.raises(InputError, match=words), up(folder, profile):
        pass
