"""What goes on by itself: the schedule, downloads that are shared, files written whole, the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.clock import parse_span, utc_now
from pkigen.errors import EnvironmentFailure
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.connections import crl_downloads
from pkigen.lab.connections.alerts import Event
from pkigen.lab.connections.connection import Connection
from pkigen.lab.connections.crl_downloads import CrlDownloads
from pkigen.lab.connections.scheduler import ConnectionScheduler
from pkigen.lab.state import State
from pkigen.lab.timing import CancelToken, LabClock
from pkigen.serve.http.https_server import Endpoint
from pkigen.serve.http.server import listen

SECONDS = 10.0


class _Link:
    """A connection that counts its attempts and can block them."""

    def __init__(self) -> None:
        self.id = f"link-{id(self)}"
        self.due, self.busy, self.count = 0.0, False, 0
        self.gate = threading.Event()
        self.gate.set()
        self.problem: Exception | None = None

    def check(self) -> None:
        self.count += 1
        assert self.gate.wait(SECONDS)
        if self.problem is not None:
            raise self.problem


def _schedule(
    *connections: _Link,
    interval: float = 3600,
    tick: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda text: None,
) -> ConnectionScheduler:
    return ConnectionScheduler(cast("list[Connection]", list(connections)), interval, tick, tell)


def test_every_connection_is_tried_at_once_and_then_at_its_interval() -> None:
    connections = [_Link() for _ in range(20)]
    scheduler = _schedule(*connections, interval=0.05)
    with scheduler.running():
        assert scheduler.wait_until(lambda: all(connection.count >= 3 for connection in connections), SECONDS)


def test_a_connection_that_changed_during_its_attempt_is_tried_again() -> None:
    connection = _Link()
    scheduler = _schedule(connection)
    with scheduler.running():
        assert scheduler.wait_until(lambda: connection.count == 1, SECONDS)
        connection.gate.clear()
        scheduler.check_soon()
        assert scheduler.wait_until(lambda: connection.count == 2, SECONDS)
        scheduler.check_soon()
        connection.gate.set()
        assert scheduler.wait_until(lambda: connection.count == 3, SECONDS)


def test_a_slow_connection_delays_no_other_and_uses_no_cpu() -> None:
    slow, quick, ticks = _Link(), _Link(), []
    scheduler = _schedule(slow, quick, tick=lambda: ticks.append(1))
    slow.gate.clear()
    with scheduler.running():
        assert scheduler.wait_until(lambda: slow.count == 1 and quick.count == 1, SECONDS)
        scheduler.check_soon(cast("list[Connection]", [slow]))
        before = len(ticks)
        scheduler.wait_until(lambda: False, 0.4)
        assert len(ticks) - before < 6, "about twice a second"
        slow.gate.set()


def test_a_failed_connection_is_retried_at_its_interval() -> None:
    connection = _Link()
    connection.problem = RuntimeError("unforeseen")
    scheduler = _schedule(connection, interval=0.05)
    with scheduler.running():
        assert scheduler.wait_until(lambda: connection.count >= 3, SECONDS)


def test_a_full_disk_is_reported_once_and_ends_nothing() -> None:
    connection, messages, full = _Link(), list[str](), [True]

    def tick() -> None:
        if full[0]:
            raise EnvironmentFailure("No space left on device")

    scheduler = _schedule(connection, interval=0.02, tick=tick, tell=messages.append)
    with scheduler.running():
        assert scheduler.wait_until(lambda: connection.count >= 4, SECONDS)
        full[0] = False
    assert len(messages) == 1
    assert "No space left on device" in messages[0]


def test_events_during_a_write_of_the_log_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listen("127.0.0.1", 0) as listener:
        appliance = Appliance("s", Role.SENSOR, "s.test", Endpoint(listener), State(tmp_path), utc_now)
    external_receivers = list[threading.Thread]()

    def interrupted(event: Event) -> dict[str, Any]:
        external_receivers.append(threading.Thread(target=appliance.tell, args=("notice", "in between")))
        external_receivers[-1].start()
        external_receivers[-1].join(0.05)
        return asdict(event)

    for _ in range(3):
        appliance.tell("notice", "before")
    monkeypatch.setattr("pkigen.lab.appliance.appliance.asdict", interrupted)
    appliance.save()
    for other in external_receivers:
        other.join()
    assert appliance.changed, "what came in between is written the next time"
    saved = State(tmp_path).read_json("appliance-s.json")
    assert [event["text"] for event in saved["events"]] == ["before"] * 3


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were asked for; what is at one is its own name."""
    requested = list[str]()

    def fetch(url: str, **_: object) -> bytes:
        requested.append(url)
        if "none" in url:
            raise FetchError(f"{url}: HTTP 404")
        if "broken" in url:
            raise RuntimeError("unforeseen")
        return url.encode()

    monkeypatch.setattr(crl_downloads, "fetch", fetch)
    return requested


def test_requests_within_a_second_share_a_download(fetched: list[str]) -> None:
    now = [0.0]
    shared = CrlDownloads(None, CancelToken(), lambda: now[0])
    assert [shared.get("http://a/1") for _ in range(3)] == [b"http://a/1"] * 3
    now[0] += 1.0
    shared.get("http://a/1")
    assert fetched == ["http://a/1"]
    now[0] += 0.1
    shared.get("http://a/1")
    shared.get("http://a/2")
    assert fetched == ["http://a/1", "http://a/1", "http://a/2"]
    shared.forget()
    shared.get("http://a/2")
    assert len(fetched) == 4


@pytest.mark.parametrize(("url", "error"), [("http://none", FetchError), ("http://broken", RuntimeError)])
def test_requests_that_share_a_download_share_its_failure(
    url: str, error: type[Exception], fetched: list[str]
) -> None:
    shared = CrlDownloads(None, CancelToken(), lambda: 0.0)
    for _ in range(3):
        with pytest.raises(error):
            shared.get(url)
    assert fetched == [url]


def test_the_number_of_downloads_is_limited(fetched: list[str]) -> None:
    shared = CrlDownloads(None, CancelToken(), lambda: 0.0)
    for number in range(1000):
        shared.get(f"http://a/{number}")
    assert len(shared._downloads) <= 256
    assert len(fetched) == 1000


def test_a_file_is_replaced_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path)
    state.write("x", b"first")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(EnvironmentFailure, match=r"cannot write .*: the disk is full"):
        state.write("x", b"second")
    assert state.path("x").read_bytes() == b"first"
    assert [path.name for path in state.folder.iterdir()] == ["x"]


@given(st.binary(max_size=40))
def test_damaged_json_is_ignored(data: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        state = State(Path(folder))
        state.write("x.json", data)
        assert isinstance(state.read_json("x.json"), dict)


def test_a_directory_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".pkigen").write_text("in the way")
    with pytest.raises(EnvironmentFailure, match="cannot make"):
        State(tmp_path)


def test_the_clock_advances_and_can_be_set() -> None:
    clock = LabClock()
    clock.move(parse_span("36h"))
    assert timedelta(hours=35) < clock() - utc_now() <= timedelta(hours=36)
    with pytest.raises(ValueError, match="would move the clock backward"):
        clock.move(parse_span("-1h"))
    clock.reset()
    assert abs(clock() - utc_now()) < timedelta(seconds=5)
