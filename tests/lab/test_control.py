"""A running lab as other processes of its user reach it, and nobody else does."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.lab.appliance.samples import case_upload
from pkigen.lab.control import (
    FILE,
    RunningLab,
    control_server,
    find_running_lab,
    find_running_labs,
)
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load
from tests.lab.conftest import Plant, document


@pytest.fixture(scope="module")
def ended() -> Event:
    return Event()


@pytest.fixture(scope="module")
def running(plant: Plant, ended: Event) -> Iterator[RunningLab]:
    with control_server(plant.lab, ended.set):
        running_lab = find_running_lab(plant.lab.folder)
        assert running_lab is not None
        yield running_lab
    assert find_running_lab(plant.lab.folder) is None


def test_status_has_the_state_of_each_appliance_and_how_to_sign_in(running: RunningLab, plant: Plant) -> None:
    status = running.status()
    assert status["password"] == plant.lab.password
    assert [one["name"] for one in status["appliances"]] == list(plant.lab.appliances)
    assert find_running_labs(plant.lab.folder.parent) == [running]
    assert running.token not in repr(running)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of this kind")
def test_the_token_is_readable_only_by_its_owner(running: RunningLab) -> None:
    assert stat.S_IMODE((running.folder / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "TOKEN"}, 401),
        ({"Authorization": "Bearer TOKEN", "Host": "evil.test"}, 421),
        ({"Authorization": "Bearer TOKEN"}, 200),
    ],
)
def test_without_the_token_nothing_is_revealed_or_changed(
    headers: dict[str, str], status: int, running: RunningLab, ended: Event
) -> None:
    sent = {name: value.replace("TOKEN", running.token) for name, value in headers.items()}
    answer = httpx.get(f"{running.url}/status", headers=sent, trust_env=False)
    assert answer.status_code == status
    if status != 200:
        assert httpx.post(f"{running.url}/stop", headers=sent, trust_env=False).status_code == status
        assert not ended.is_set()


def test_an_upload_from_the_command_line_has_the_usual_result(running: RunningLab, plant: Plant) -> None:
    lab = plant.lab
    sound = case_upload(lab.environment, "sealed", lab.passphrases)
    assert running.upload("sensor-02", sound)["accepted"]
    old = case_upload(lab.environment, "sensor-03.not-after-future-expired", lab.passphrases)
    assert "expired" in running.upload("sensor-02", old)["messages"][0]["message"]
    for name in ("nobody", "a/b", "../status", "", "?", "\udcff"):
        with pytest.raises(InputError):
            running.upload(name, sound)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"url": 1, "token": "x", "pid": 1}',
        '{"url": "x", "token": "x", "pid": "x"}',
        "[" * 100_000,
    ],
)
def test_a_damaged_announcement_is_ignored(content: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert find_running_lab(tmp_path) is None


def test_the_port_of_a_killed_lab_can_belong_to_another_program(
    plant: Plant, running: RunningLab, tmp_path: Path
) -> None:
    """Here it is the CRL server's, which answers, and is no lab."""
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"url": plant.lab.crl_server.url, "token": "old", "pid": 1}))
    assert find_running_lab(tmp_path) is None
    with pytest.raises(EnvironmentFailure, match="does not respond"):
        RunningLab(tmp_path, plant.lab.crl_server.url, "old", 1).status()


def test_one_environment_has_one_lab_at_a_time(plant: Plant) -> None:
    profile = load(document())
    with (
        pytest.raises(EnvironmentFailure, match="is already running"),
        running_lab(plant.lab.folder, profile, web),
    ):
        pass


def test_the_lab_ends_on_request(running: RunningLab, ended: Event) -> None:
    running.stop()
    assert ended.wait(5)
    ended.clear()
