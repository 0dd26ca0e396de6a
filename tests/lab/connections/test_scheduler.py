"""Who hangs delays nobody else, and not the end either."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from pkigen.clock import utc_now
from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.connections.scheduler import ConnectionScheduler
from tests.lab.labs import SECONDS, built, document, hanging, up


@dataclass
class _Link:
    """As much of a connection as its schedule looks at."""

    id: str
    attempt: Callable[[], Any]
    due: float = 0.0
    busy: bool = False
    checks: int = field(default=0)

    def check(self) -> None:
        self.attempt()
        self.checks += 1


def _schedule(connections: list[_Link], interval: float = 3600) -> ConnectionScheduler:
    return ConnectionScheduler(cast("Any", connections), interval, lambda: None)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_other_connections_are_made_while_many_receivers_hang() -> None:
    go_on = threading.Event()
    hang = [_Link(f"hang-{number}", lambda: go_on.wait(SECONDS)) for number in range(40)]
    brisk = [_Link(f"brisk-{number}", lambda: None) for number in range(5)]
    scheduler = _schedule(hang + brisk)
    with scheduler.running():
        try:
            assert scheduler.wait_until(lambda: all(connection.checks for connection in brisk), SECONDS)
            assert not any(connection.checks for connection in hang)
        finally:
            go_on.set()


def test_connections_that_took_long_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.lab.connections.scheduler._BRISK_SECONDS", 60.0)
    order = list[str]()

    class NotedLink(_Link):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "busy" and value:
                order.append(self.id)

    def take_long(name: str) -> None:
        scheduler._begun[name] -= 100.0

    slow = [NotedLink(f"slow-{number}", partial(take_long, f"slow-{number}")) for number in range(3)]
    brisk = [NotedLink(f"brisk-{number}", lambda: None) for number in range(3)]
    scheduler = _schedule([*slow, *brisk])
    with scheduler.running():
        assert scheduler.wait_until(
            lambda: all(one.checks == 1 and not one.busy for one in slow + brisk), SECONDS
        )
        scheduler.check_soon()
        assert scheduler.wait_until(lambda: all(one.checks == 2 for one in slow + brisk), SECONDS)
    assert [name.partition("-")[0] for name in order[:6]] == ["slow"] * 3 + ["brisk"] * 3
    assert [name.partition("-")[0] for name in order[6:]] == ["brisk"] * 3 + ["slow"] * 3


def test_at_most_eight_attempts_run_in_parallel() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def attempt() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    connections = [_Link(str(number), attempt) for number in range(60)]
    scheduler = _schedule(connections)
    with scheduler.running():
        assert scheduler.wait_until(lambda: all(connection.checks for connection in connections), SECONDS)
    # After a pause of the machine, attempts older than 0.2 s no longer count.
    assert most <= 16


def test_a_hundred_sensors_connect_and_end_though_their_receiver_hangs(tmp_path: Path) -> None:
    with hanging() as address:
        rule = {"name": "siem", "to": "syslog", "host": "siem.test", "address": address, "sender": "sensors"}
        profile = document(100, forwarding=[rule])
        with up(built(profile, tmp_path), profile) as lab:
            external_receivers = [
                connection for connection in lab.connections if connection.target.name == "console"
            ]
            assert len(external_receivers) == 100
            assert lab.scheduler.wait_until(
                lambda: all(
                    connection.report.state is ConnectionState.CONNECTED for connection in external_receivers
                ),
                SECONDS,
            )
            lab.raise_alert("sensor-001", "nobody takes it")
            events = len(lab.appliance("sensor-001").events)
            ports = [one.endpoint.listener.port for one in lab.appliances.values()]
            assert len([port for port in ports if _listens(port)]) == 101
            cancel_token = time.monotonic()
    # Less than a second on an idle machine; receivers that hang would delay it by ten.
    assert time.monotonic() - cancel_token < 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pkigen-link")]
    assert not [port for port in ports if _listens(port)]
    # That it was given up at the end is no finding.
    assert lab.connection("sensor-001:siem").report.state is ConnectionState.WAITING
    assert len(lab.appliance("sensor-001").events) == events
    assert len(lab.connection("sensor-001:siem").outbox) == 1


def test_all_connections_are_checked_after_the_machine_slept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = document(1)
    profile["certificates"]["sensor-{001..001}"]["valid"] = "21d"
    profile["authorities"]["issuing"]["crl"] = {"valid": "7d"}
    with up(built(profile, tmp_path), profile) as lab:
        connection = lab.connection("sensor-001:console")
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.CONNECTED, SECONDS)
        first = connection.report.at
        # Its CRL has expired meanwhile.
        monkeypatch.setattr("pkigen.lab.timing.utc_now", lambda: utc_now() + timedelta(days=10))
        assert lab.scheduler.wait_until(lambda: connection.report.at > first, SECONDS)
        assert connection.report.state is ConnectionState.CONNECTED
        assert any("jumped forward by 864,00" in event.text for event in lab.console.events)
        monkeypatch.setattr("pkigen.lab.timing.utc_now", lambda: utc_now() + timedelta(days=30))
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.HALTED, SECONDS)
        monkeypatch.setattr("pkigen.lab.timing.utc_now", utc_now)
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.CONNECTED, SECONDS)
        assert any("jumped back by 2,59" in event.text for event in lab.console.events)
