"""Connections to any peer end in time, with a response or an error message."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.clock import utc_now
from pkigen.lab.appliance.credential import Credential, local_credential, server_context
from pkigen.lab.connections.alert_formats import syslog
from pkigen.lab.connections.alerts import Alert
from pkigen.lab.connections.receivers import Receiver, SyslogServer
from pkigen.lab.connections.tls_client import (
    Channel,
    ConnectError,
    Peer,
    ValidationError,
    ValidationPolicy,
    connect,
)
from pkigen.lab.timing import CancelToken
from pkigen.serve.http.server import Listener, listen
from tests.lab.conftest import free_port

HOST = "peer.contoso.test"
Talk = Callable[[Any], object]


@pytest.fixture(scope="module")
def credential() -> Credential:
    return local_credential("peer", HOST, utc_now())


@pytest.fixture(scope="module")
def context(credential: Credential, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = tmp_path_factory.mktemp("peer") / "peer.pem"
    path.write_bytes(credential.as_file())
    return server_context(path)


@contextmanager
def _peer(context: ssl.SSLContext | None, talk: Talk) -> Iterator[Peer]:
    """A server for one connection; without a context it talks before any TLS."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            accepted, _ = listening.accept()
            with accepted, suppress(OSError):
                if context is None:
                    talk(accepted)
                    return
                with context.wrap_socket(accepted, server_side=True) as wrapped:
                    talk(wrapped)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Peer(HOST, ("127.0.0.1", listening.getsockname()[1]))
        thread.join(10)
        assert not thread.is_alive()


def _dial(peer: Peer, policy: ValidationPolicy, seconds: float) -> AbstractContextManager[Channel]:
    return connect(peer, policy, CancelToken(), seconds)


def _nothing(url: str) -> bytes:
    raise AssertionError(f"nobody has a CRL here: {url}")


def _lax(at: datetime | None = None) -> ValidationPolicy:
    return ValidationPolicy((), at or utc_now(), _nothing, mandatory=False)


def _trusting(credential: Credential) -> ValidationPolicy:
    return ValidationPolicy((credential.leaf,), utc_now(), _nothing)


def _answering(answer: bytes) -> Talk:
    def talk(connection: ssl.SSLSocket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(4096)
        connection.sendall(answer)

    return talk


def test_a_request_is_answered(context: ssl.SSLContext, credential: Credential) -> None:
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello"
    with _peer(context, _answering(answer)) as peer, _dial(peer, _trusting(credential), 5) as channel:
        assert channel.problems == ()
        assert channel.path == (credential.leaf,)
        assert channel.request("POST", "/", {}, b"") == (201, b"hello")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "invalid HTTP"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "invalid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "invalid HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_100_000, "exceeds 1,048,576 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "invalid HTTP"),
    ],
)
def test_an_invalid_response_is_reported(
    answer: bytes, words: str, context: ssl.SSLContext, credential: Credential
) -> None:
    def ask(peer: Peer) -> None:
        with _dial(peer, _trusting(credential), 5) as channel:
            channel.request("POST", "/", {}, b"")

    with (
        _peer(context, _answering(answer)) as peer,
        pytest.raises(ConnectError, match=f"{words}|closed unexpectedly|TLS"),
    ):
        ask(peer)


def test_an_untrusted_certificate_stops_the_connection_before_data_is_sent(context: ssl.SSLContext) -> None:
    heard = []
    policy = ValidationPolicy((), utc_now(), _nothing)
    with (
        _peer(context, lambda connection: heard.append(connection.recv(100))) as peer,
        pytest.raises(ValidationError) as caught,
        _dial(peer, policy, 5) as channel,
    ):
        channel.send(b"secret")
    assert caught.value.problems[0].depth == 0
    assert heard in ([], [b""])


def test_without_validation_problems_are_reported_and_the_connection_continues(
    context: ssl.SSLContext,
) -> None:
    heard = []
    with (
        _peer(context, lambda connection: heard.append(connection.recv(100))) as peer,
        _dial(peer, _lax(), 5) as channel,
    ):
        assert channel.problems
        channel.send(b"anyway")
    assert heard == [b"anyway"]


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (lambda plain: plain.sendall(b"220 mail ready\r\n"), "TLS failed|closed unexpectedly"),
        (lambda plain: None, "TLS failed|closed unexpectedly"),
        (lambda plain: plain.recv(1 << 16) and plain.recv(1 << 16), "did not respond in time"),
    ],
    ids=["another protocol", "hangs up", "silent"],
)
def test_a_server_without_tls_is_reported_in_time(talk: Talk, words: str) -> None:
    begun = time.monotonic()
    with _peer(None, talk) as peer, pytest.raises(ConnectError, match=words), _dial(peer, _lax(), 0.3):
        pass
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("host", ["127.0.0.1", "a..b", "x" * 70 + ".test"])
def test_a_closed_port_is_reported(host: str) -> None:
    peer = Peer(HOST, (host, free_port()))
    with pytest.raises(ConnectError, match="cannot connect to"), _dial(peer, _lax(), 2):
        pass


def test_the_time_for_crls_does_not_count_for_the_peer(
    context: ssl.SSLContext, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*_: object) -> tuple[tuple[()], tuple[()]]:
        time.sleep(0.4)
        return (), ()

    monkeypatch.setattr("pkigen.lab.connections.tls_client.validate_peer", slowly)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with _peer(context, _answering(answer)) as peer, _dial(peer, _trusting(credential), 0.3) as channel:
        assert channel.request("POST", "/", {})[0] == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.unwrap(),
        lambda connection: connection.recv(100),
    ],
    ids=["goodbye", "no goodbye"],
)
def test_data_has_arrived_if_the_peer_closes_cleanly(
    end: Talk, context: ssl.SSLContext, credential: Credential
) -> None:
    heard = []

    def talk(connection: ssl.SSLSocket) -> None:
        heard.append(connection.recv(100))
        end(connection)

    with _peer(context, talk) as peer, _dial(peer, _trusting(credential), 5) as channel:
        channel.send(b"message")
        channel.finish()
    assert heard == [b"message"]


def test_a_server_that_requires_a_client_certificate_has_received_nothing(
    credential: Credential, tmp_path: Path
) -> None:
    """In TLS 1.3 the client is done before it is refused, and would take its message for sent."""
    path = tmp_path / "peer.pem"
    path.write_bytes(credential.as_file())
    strict = server_context(path)
    strict.minimum_version = ssl.TLSVersion.TLSv1_3
    strict.verify_mode = ssl.CERT_REQUIRED

    def send(peer: Peer) -> None:
        with _dial(peer, _trusting(credential), 5) as channel:
            channel.send(b"message")
            channel.finish()

    with _peer(strict, lambda connection: None) as peer, pytest.raises(ConnectError, match=HOST):
        send(peer)


@pytest.fixture
def receiver(context: ssl.SSLContext) -> Iterator[Receiver]:
    """A receiver of syslog messages, with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with listen("127.0.0.1", 0, "https") as listener:
        receiver = Receiver("siem", "syslog", "siem", HOST, listener, utc_now)
        server = SyslogServer(receiver, context)
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        yield receiver
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _send(receiver: Receiver, credential: Credential, *parts: bytes) -> None:
    peer = Peer(HOST, ("127.0.0.1", receiver.listener.port))
    with _dial(peer, _trusting(credential), 5) as channel:
        for part in parts:
            channel.send(part)
        channel.finish()


def test_a_receiver_reads_messages_in_any_pieces(receiver: Receiver, credential: Credential) -> None:
    alerts = [Alert(f"{n}", "2026-01-01T00:00:00Z", "s", f"title {n}") for n in range(3)]
    data = b"".join(syslog(alert, "h") for alert in alerts)
    _send(receiver, credential, data[:3], data[3:50], data[50:])
    assert [text.split("|")[5] for _, text in receiver.received] == ["title 0", "title 1", "title 2"]


def test_unreadable_data_ends_the_connection_of_a_receiver(
    receiver: Receiver, credential: Credential
) -> None:
    with suppress(ConnectError):
        _send(receiver, credential, b"no length at all " * 10)
    _send(receiver, credential, b"3 abc")
    assert [text for _, text in receiver.received] == ["abc"]


def _half_a_client_hello(plain: socket.socket) -> socket.socket:
    plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    return plain


def _handshake(plain: socket.socket) -> socket.socket:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return client.wrap_socket(plain)


@pytest.mark.parametrize("start", [lambda plain: plain, _half_a_client_hello, _handshake])
@pytest.mark.parametrize("iterations", [0, 1, 2, 3, 6])
def test_a_receiver_that_stops_closes_connections_in_every_phase(
    start: Callable[[socket.socket], socket.socket], iterations: int, context: ssl.SSLContext
) -> None:
    """``iterations`` of the event loop lie between the end of the client's action and the stop."""
    lost = list[str]()

    async def serve(listener: Listener) -> None:
        server = SyslogServer(Receiver("siem", "syslog", "siem", HOST, listener, utc_now), context)
        await server.start()
        await asyncio.wait_for(started, 10)
        for _ in range(iterations):
            await asyncio.sleep(0)
        await server.stop()

    # Not asyncio.run(), which ends handshakes because it cancels the tasks that wait for them.
    with listen("127.0.0.1", 0, "https") as listener, closing(asyncio.new_event_loop()) as loop:
        started: asyncio.Future[None] = loop.create_future()

        def connect() -> None:
            with (
                socket.create_connection(("127.0.0.1", listener.port), 10) as plain,
                start(plain) as connection,
            ):
                loop.call_soon_threadsafe(started.set_result, None)
                with suppress(OSError):
                    connection.recv(1)

        thread = threading.Thread(target=connect)
        thread.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "unraisablehook", lambda error: lost.append(str(error.exc_value)))
            loop.run_until_complete(serve(listener))
            loop.close()
            gc.collect()
        thread.join()
    assert lost == []


def test_above_its_limit_a_receiver_rejects_connections(
    receiver: Receiver, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.lab.connections.receivers._MOST_OPEN", 0)
    with pytest.raises(ConnectError):
        _send(receiver, credential, b"3 abc")
    assert not receiver.received


def test_a_receiver_limits_the_size_of_a_message() -> None:
    with listen("127.0.0.1", 0) as listener:
        receiver = Receiver("soar", "webhook", "soar", HOST, listener, utc_now)
        receiver.take("x" * 4_000_000)
    assert len(receiver.received[0][1]) == 32 * 1024


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"alerts": 1}', b'{"alerts": [1]}', b'{"alerts": [{}]}', b"[" * 10_000]
)
def test_a_webhook_rejects_data_that_are_no_alerts(body: bytes) -> None:
    from starlette.requests import Request

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    with listen("127.0.0.1", 0) as listener:
        receiver = Receiver("soar", "webhook", "soar", HOST, listener, utc_now)
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        answer = asyncio.run(receiver.webhook(request))
    assert answer.status_code == 400
    assert "error" in json.loads(bytes(answer.body))
    assert not receiver.received
