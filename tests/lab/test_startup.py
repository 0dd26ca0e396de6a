"""Nobody who waits for a server that hangs outlasts the lab."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.inspection.path.http_fetch import FetchError
from pkigen.lab.connections.crl_downloads import CrlDownloads
from pkigen.lab.connections.tls_client import (
    ConnectError,
    Peer,
    ValidationPolicy,
    connect,
)
from pkigen.lab.state import FOLDER
from pkigen.lab.timing import CancelToken
from tests.lab.labs import SECONDS, built, document, hanging, up


def _given_up(
    cancel_token: CancelToken, waiting: Callable[[], Any], error: type[Exception], seconds: float
) -> bool:
    """Whether somebody who waits gets an error, but only once the end has come."""
    raised, began = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        try:
            waiting()
        except error:
            raised.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert began.wait(SECONDS)
    early = raised.wait(0.3)
    cancel_token.cancel()
    thread.join(seconds)
    return raised.is_set() and not early and not thread.is_alive()


def _dialing(cancel_token: CancelToken, address: str) -> Callable[[], None]:
    host, _, port = address.rpartition(":")
    policy = ValidationPolicy((), datetime.now(UTC), lambda url: b"")

    def waiting() -> None:
        with connect(Peer("siem.test", (host, int(port))), policy, cancel_token):
            pass

    return waiting


def test_an_unanswered_handshake_is_abandoned() -> None:
    cancel_token = CancelToken()
    with hanging() as address:
        assert _given_up(cancel_token, _dialing(cancel_token, address), ConnectError, 2)


def test_an_unanswered_crl_request_is_abandoned() -> None:
    cancel_token = CancelToken()
    downloads = CrlDownloads(None, cancel_token)
    with hanging() as address:
        assert _given_up(cancel_token, lambda: downloads.get(f"http://{address}/ca.crl"), FetchError, 2)


def test_a_slow_name_lookup_is_abandoned_and_its_socket_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cancel_token, go_on, there = CancelToken(), threading.Event(), threading.Event()
    made = socket.socket()

    def slow(*_: Any) -> socket.socket:
        go_on.wait(SECONDS)
        there.set()
        return made

    monkeypatch.setattr("socket.create_connection", slow)
    assert _given_up(cancel_token, _dialing(cancel_token, "siem.test:6514"), ConnectError, 2)
    go_on.set()
    assert there.wait(SECONDS)
    deadline = time.monotonic() + SECONDS
    while made.fileno() != -1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made.fileno() == -1


def test_an_invalid_host_name_is_unreachable() -> None:
    with pytest.raises(ConnectError, match="invalid host name"):
        _dialing(CancelToken(), "a..b:6514")()


def test_a_hanging_peer_gets_no_more_than_the_time_limit() -> None:
    with hanging() as address:
        host, _, port = address.rpartition(":")
        begun = time.monotonic()
        policy = ValidationPolicy((), datetime.now(UTC), lambda url: b"")
        with (
            pytest.raises(ConnectError, match="in time"),
            connect(Peer("siem.test", (host, int(port))), policy, CancelToken(), seconds=0.5),
        ):
            pass
    assert 0.4 < time.monotonic() - begun < SECONDS / 2


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_a_start_deletes_what_a_killed_lab_left(tmp_path: Path) -> None:
    profile = document(1)
    folder = built(profile, tmp_path)
    with up(folder, profile):
        pass
    state = folder / FOLDER
    complete = {path.name for path in state.iterdir()}
    killed = (
        "import os, pathlib, signal, sys, pkigen.lab.state as state\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "state.State(pathlib.Path(sys.argv[1])).write('appliance-console.pem', b'a key')\n"
    )
    ended = subprocess.run([sys.executable, "-c", killed, folder], check=False)
    assert ended.returncode == -signal.SIGKILL
    (state / "appliance-console.pem.new").write_bytes(b"a key")
    assert len(list(state.iterdir())) == len(complete) + 2
    with up(folder, profile):
        pass
    assert {path.name for path in state.iterdir()} == complete
