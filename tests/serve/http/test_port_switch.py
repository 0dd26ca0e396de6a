"""The port of a server closes and opens again while clients connect."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from pkigen.serve.http.port_switch import PortSwitch
from pkigen.serve.http.server import background, listen


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


def test_no_connection_is_lost_when_the_port_closes_while_clients_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = list[str]()
    monkeypatch.setattr(sys, "unraisablehook", lambda error: lost.append(str(error.exc_value)))
    stop = threading.Event()

    def connect(port: int) -> None:
        while not stop.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as client:
                client.settimeout(1)
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(100)

    switch = PortSwitch()
    with listen("127.0.0.1", 0) as listener, background(_answer, listener, switch, grace=0):
        clients = [threading.Thread(target=connect, args=(listener.port,)) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            for _ in range(300):
                switch.set(shut=True)
                switch.set(shut=False)
        finally:
            stop.set()
            for client in clients:
                client.join()
    gc.collect()
    assert lost == []
