"""The HTTPS server of the lab ends every connection when it stops, in whatever phase the connection is."""

from __future__ import annotations

import gc
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
from starlette.responses import PlainTextResponse

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import open_environment
from pkigen.profile import load
from pkigen.serve.http import connections
from pkigen.serve.http.https_server import Endpoint, HttpsSite, serve_sites
from pkigen.serve.http.server import listen

_PROFILE = {
    "name": "https",
    "authorities": {"root": {"subject": {"CN": "Root"}, "key": "ec-p256"}},
    "certificates": {"server": {"issuer": "root", "subject": {"CN": "a.test"}, "key": "ec-p256"}},
}


@pytest.fixture(scope="module")
def server_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    result = build(load(_PROFILE), tmp_path_factory.mktemp("https"), BuildOptions(keys="pool"))
    case = open_environment(result.folder)["server"]
    return case.server_context()


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages of objects that were destroyed while they were open."""
    messages = list[str]()
    monkeypatch.setattr(sys, "unraisablehook", lambda error: messages.append(str(error.exc_value)))
    return messages


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _only_connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def _half_a_client_hello(port: int) -> socket.socket:
    client = _only_connected(port)
    client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    return client


def _no_tls(port: int) -> socket.socket:
    client = _only_connected(port)
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return client


def _handshake(port: int) -> socket.socket:
    return _client_context().wrap_socket(_only_connected(port))


def _half_a_request(port: int) -> socket.socket:
    client = _handshake(port)
    client.sendall(b"GET / HTTP/1.1\r\n")
    return client


@pytest.mark.parametrize(
    "connect", [_only_connected, _half_a_client_hello, _no_tls, _handshake, _half_a_request]
)
def test_a_connection_is_closed_when_the_server_stops(
    connect: Callable[[int], socket.socket], server_context: ssl.SSLContext, lost: list[str]
) -> None:
    with ExitStack() as clients:
        with listen("127.0.0.1", 0) as listener:
            endpoint = Endpoint(listener)
            endpoint.present(server_context)
            with serve_sites([HttpsSite(listener, PlainTextResponse("x"), endpoint.context)]):
                for _ in range(10):
                    clients.enter_context(connect(listener.port))
        gc.collect()
        assert lost == []


def _handshake_without_last_flight(
    plain: socket.socket,
) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """Return a TLS client, what it reads, and what it writes: so far only its last flight, not sent yet."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = _client_context().wrap_bio(incoming, outgoing)
    while True:
        try:
            client.do_handshake()
            return client, incoming, outgoing
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))


def test_a_request_that_arrives_with_the_end_of_the_handshake_is_answered(
    server_context: ssl.SSLContext,
) -> None:
    """The client's Finished and its request in one packet: TLS 1.3 clients send them together."""
    with listen("127.0.0.1", 0) as listener:
        endpoint = Endpoint(listener)
        endpoint.present(server_context)
        with (
            serve_sites([HttpsSite(listener, PlainTextResponse("x"), endpoint.context)]),
            _only_connected(listener.port) as plain,
        ):
            client, incoming, outgoing = _handshake_without_last_flight(plain)
            client.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            plain.sendall(outgoing.read())
            response = b""
            while not response.endswith(b"\r\n\r\nx"):
                incoming.write(plain.recv(65536))
                with suppress(ssl.SSLWantReadError):
                    while data := client.read(65536):
                        response += data
            assert response.startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_disconnects_at_the_end_of_the_handshake_causes_no_warning(
    server_context: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's Finished and close_notify in one packet: the end precedes the start of the connection."""
    with listen("127.0.0.1", 0) as listener:
        endpoint = Endpoint(listener)
        endpoint.present(server_context)
        with (
            serve_sites([HttpsSite(listener, PlainTextResponse("x"), endpoint.context)]),
            _only_connected(listener.port) as plain,
        ):
            client, _, outgoing = _handshake_without_last_flight(plain)
            with suppress(ssl.SSLWantReadError):
                client.unwrap()
            plain.sendall(outgoing.read())
            while plain.recv(65536):
                pass
    assert caplog.messages == []


@pytest.mark.parametrize("connect", [_only_connected, _half_a_client_hello, _handshake, _half_a_request])
def test_idle_connections_to_one_appliance_do_not_block_others(
    connect: Callable[[int], socket.socket], server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS_PER_CLIENT", 3)
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0)
    with ExitStack() as stack:
        listeners = [stack.enter_context(listen("127.0.0.1", 0)) for _ in range(2)]
        endpoints = [Endpoint(listener) for listener in listeners]
        for endpoint in endpoints:
            endpoint.present(server_context)
        app = PlainTextResponse("x")
        stack.enter_context(serve_sites([HttpsSite(one.listener, app, one.context) for one in endpoints]))
        idle = [stack.enter_context(connect(listeners[0].port)) for _ in range(3)]
        for listener in reversed(listeners):
            with _handshake(listener.port) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert idle[0].recv(1) == b"", "the oldest is closed"
        idle[1].setblocking(False)
        with pytest.raises((BlockingIOError, ssl.SSLWantReadError)):
            idle[1].recv(1)


def test_an_idle_connection_ends_with_close_notify(
    server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS_PER_CLIENT", 1)
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0)
    with listen("127.0.0.1", 0) as listener:
        endpoint = Endpoint(listener)
        endpoint.present(server_context)
        with serve_sites([HttpsSite(listener, PlainTextResponse("x"), endpoint.context)]):
            plain = _only_connected(listener.port)
            with (
                _client_context().wrap_socket(plain, suppress_ragged_eofs=False) as idle,
                _handshake(listener.port),
            ):
                assert idle.recv(1) == b"", "without close_notify this raises SSLEOFError"
