"""The members of a lab: the section ``lab`` of the profile and the certificates of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.environment import open_environment
from pkigen.errors import InputError
from pkigen.lab.appliance.appliance import Role
from pkigen.lab.appliance.members import Members, resolve_members
from pkigen.profile import load
from tests.lab.conftest import built, document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    profile = document()
    profile["negatives"] = [{"of": "sensor-03", "faults": ["expired"]}]
    profile["certificates"]["nameless"] = {"issuer": "issuing", "san": ["email:a@contoso.test"]}
    profile["certificates"]["keyless"] = {"like": "sensor-03", "files": ["crt", "chain"]}
    profile["requirements"] = []
    return built(profile, tmp_path_factory.mktemp("cast"))


def _cast(folder: Path, **lab: Any) -> Members:
    return resolve_members(load(document(**lab)), open_environment(folder))


def test_globs_and_names_assign_each_appliance_its_role(folder: Path) -> None:
    members = _cast(folder, sensors=["sensor-0[12]", "short"], fresh=["s*"])
    assert [(role, case.name) for role, case in members.appliances] == [
        (Role.CONSOLE, "console"),
        (Role.SECONDARY, "secondary"),
        (Role.SENSOR, "sensor-01"),
        (Role.SENSOR, "sensor-02"),
        (Role.SENSOR, "short"),
    ]
    assert members.fresh == {"sensor-01", "sensor-02", "short", "secondary"}
    assert {name: case.name for name, case in members.receivers.items()} == {"siem": "siem", "soar": "soar"}


def test_a_faulty_certificate_belongs_to_no_appliance(folder: Path) -> None:
    members = _cast(folder, sensors=["sensor-03*"])
    assert [case.name for role, case in members.appliances if role is Role.SENSOR] == ["sensor-03"]


@pytest.mark.parametrize(
    ("lab", "words"),
    [
        ({"console": "consol"}, r"lab\.console: .*'consol' \(did you mean 'console'\?\)"),
        ({"console": "sensor-03.expired"}, "the profile has no certificate"),
        ({"secondary": "console"}, "'console' has two roles"),
        ({"sensors": ["sensor-01", "sensor-*"]}, "'sensor-01' has two roles"),
        ({"sensors": ["plc-*"]}, r"the profile has no certificate 'plc-\*'"),
        ({"sensors": ["nameless"], "fresh": []}, "'nameless' has no host name"),
        ({"sensors": ["keyless"], "fresh": []}, "'keyless' has no key file: .* the profile omits it"),
        ({"fresh": ["sensor-9"]}, "the profile has no certificate 'sensor-9'"),
        ({"fresh": ["siem"]}, "'siem' matches no appliance of the lab"),
        ({"forwarding": [{"name": "a", "to": "syslog", "certificate": "siim"}]}, "did you mean 'siem'"),
        (
            {"forwarding": [{"name": "a", "to": "syslog", "certificate": "siem"}] * 2},
            "two forwarding rules have the name 'a'",
        ),
        (
            {"forwarding": [{"name": "console", "to": "syslog", "certificate": "siem"}]},
            "an appliance already has the name 'console'",
        ),
    ],
)
def test_an_impossible_role_is_reported(lab: dict[str, Any], words: str, folder: Path) -> None:
    with pytest.raises(InputError, match=words):
        _cast(folder, **lab)


def test_the_number_of_appliances_is_limited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.lab.appliance.members.MOST_SENSORS", 3)
    with pytest.raises(InputError, match="5 appliances; the maximum is 3"):
        _cast(folder)
