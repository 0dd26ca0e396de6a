"""The port of a server closes and opens again while clients connect."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
from contextlib import suppress
from typing import Any, cast

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from pkigen.serve.http.limited_server import LimitedServer
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


def test_nagles_algorithm_stays_disabled_after_the_port_was_closed_and_opened() -> None:
    """With it, each response to a kept-open connection waits 40 ms for the client's delayed ACK."""
    disabled = list[int]()

    class NotingSwitch(PortSwitch):
        def server(self, *args: Any, **kwargs: Any) -> LimitedServer:
            server = super().server(*args, **kwargs)
            make = server.config.http

            def note(*args: Any, **kwargs: Any) -> asyncio.Protocol:
                protocol = cast("Any", make)(*args, **kwargs)
                made = protocol.connection_made

                def connection_made(transport: asyncio.Transport) -> None:
                    connection = transport.get_extra_info("socket")
                    disabled.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                    made(transport)

                protocol.connection_made = connection_made
                return cast("asyncio.Protocol", protocol)

            server.config.http = cast("Any", note)
            return server

    switch = NotingSwitch()
    with listen("127.0.0.1", 0) as listener, background(_answer, listener, switch, grace=0):
        url = listener.url
        for _ in range(2):
            assert httpx.get(url).content == b"x"
            switch.set(shut=True)
            switch.set(shut=False)
        assert httpx.get(url).content == b"x"
    assert [bool(value) for value in disabled] == [True] * 3
