"""What one client may take: headers, bodies, connections, requests in advance."""

from __future__ import annotations

import ast
import asyncio
import re
import socket
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from starlette.types import Receive, Scope, Send

from pkigen.serve import serve
from pkigen.serve.http import connections
from pkigen.serve.http.connections import Connection, Connections
from tests.serve.conftest import Stub, make_environment
from tests.serve.http.raw import GET, connect, echo, exchange, read_all, serving

_ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def _answer(client: socket.socket) -> bytes:
    """One whole answer to _ASK."""
    received = bytearray()
    while not received.endswith(b"ok\n"):
        part = client.recv(65536)
        assert part, bytes(received)
        received += part
    return bytes(received)


@pytest.mark.parametrize(
    "header", [b"X-Long: " + b"a" * 40_000, b"\r\n".join([b"X: y"] * 10_000)], ids=["one long", "many"]
)
def test_a_header_section_that_is_too_large_is_rejected(stub: Stub, header: bytes) -> None:
    response = exchange(stub.url, b"GET / HTTP/1.1\r\nHost: x\r\n", header, b"\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 431 ")
    assert stub.ask("/healthz").status == 200


def test_a_client_with_a_large_body_can_read_the_error(stub: Stub) -> None:
    head = b"POST /crl/root.crl HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"
    with closing(connect(stub.url)) as client:
        client.sendall(head)
        for _ in range(80):
            client.sendall(b"a" * 100_000)
        response = b"".join(iter(lambda: client.recv(4096), b""))
    assert re.findall(rb"HTTP/1.1 (\d+) ", response) == [b"405"]


def test_headers_as_large_as_those_of_browsers_are_accepted(stub: Stub) -> None:
    assert stub.ask("/healthz", Cookie="a" * 8000).status == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 99999999", b"Transfer-Encoding: chunked"])
def test_an_endless_body_ends_the_connection(stub: Stub, framing: bytes) -> None:
    head = b"POST /crl/root.crl HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    with closing(connect(stub.url)) as client:
        client.sendall(head)
        with suppress(ConnectionError):
            # Far more than the limit and what the kernel buffers for a server that is slow to read.
            for _ in range(10_000):
                client.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
            pytest.fail("it takes a body without end")
    assert stub.ask("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(stub: Stub) -> None:
    paths = [f"/crl/{number}.crl" for number in range(700)]
    for path in paths[::100]:
        (stub.www / path[1:]).write_bytes(path.encode())
    requests = [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths]
    requests.append(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    response = exchange(stub.url, b"".join(requests))
    statuses = re.findall(rb"HTTP/1.1 (\d+) ", response)
    expected = [b"404" if number % 100 else b"200" for number in range(700)] + [b"200"]
    assert statuses == expected
    assert response.endswith(b"ok\n")


def test_requests_before_invalid_data_are_answered_first(stub: Stub) -> None:
    response = exchange(stub.url, _ASK + b"\x00\x01 what is this\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200 OK")
    assert b"ok\n" in response


def test_the_last_request_of_an_http_1_0_client_is_answered_and_its_connection_closed(stub: Stub) -> None:
    response = exchange(stub.url, b"GET /crl/root.crl HTTP/1.0\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in response.lower()


def test_a_connection_above_the_limit_does_not_disturb_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 2)
    monkeypatch.setattr(connections, "_MAX_EXCESS", 1)
    with serve(folder) as url, ExitStack() as stack:
        idle = [stack.enter_context(closing(connect(url))) for _ in range(2)]
        for client in idle:
            client.sendall(_ASK)
            assert _answer(client).startswith(b"HTTP/1.1 200 ")
        refused = stack.enter_context(closing(connect(url)))
        assert exchange(url, _ASK) == b""
        refused.sendall(_ASK)
        response = read_all(refused)
        assert response.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in response.lower()
        for client in idle:
            client.sendall(_ASK)
            assert _answer(client).startswith(b"HTTP/1.1 200 ")


def test_a_surplus_connection_without_a_request_ends_soon(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 0)
    monkeypatch.setattr(connections, "_EXCESS_SECONDS", 0.05)
    with serve(folder) as url, closing(connect(url)) as client:
        assert read_all(client) == b""


def test_a_response_in_progress_is_not_ended_by_the_idle_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_CONNECTION_SECONDS", 0.5)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first, ", "more_body": True})
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.body", "body": b"last"})

    with serving(app) as url, closing(connect(url)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        assert b"HTTP/1.1 200" in client.recv(4096)
        idle = connect(url)
        assert read_all(idle) == b""  # older than half a second now, and so is the other
        idle.close()
        client.sendall(b"x")
        assert b"last" in read_all(client)


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b", b"a\nb"])
def test_a_header_value_cannot_inject_another_header(value: bytes) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"x", value), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    with serving(app) as url:
        response = exchange(url, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", _ASK)
    assert b"Set-Cookie" not in response
    assert not response.startswith(b"HTTP/1.1 200")


def test_a_response_with_a_wrong_content_length_ends_its_connection() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"short"})

    with serving(app) as url:
        response = exchange(url, _ASK)
    assert response.endswith(b"short")


def test_the_last_response_of_a_connection_announces_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_CONNECTION_SECONDS", 0.05)
    with serve(make_environment(tmp_path / "env", "http://127.0.0.1:8080")) as url, connect(url) as client:
        answer = b""
        while b"connection: close" not in answer.lower():
            client.sendall(_ASK)
            answer = _answer(client)
            assert answer.startswith(b"HTTP/1.1 200 ")
        assert client.recv(1) == b""


def test_ambiguous_framing_is_rejected(stub: Stub) -> None:
    head = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = exchange(stub.url, head + b"0\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 400 ")


def test_a_request_without_host_is_rejected(stub: Stub) -> None:
    assert exchange(stub.url, b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_request_with_two_errors_gets_one_response(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    """The parser rejects the body before the application, which is to run next, rejects the Host."""
    request = b"POST /ocsp HTTP/1.1\r\nHost: a\xe4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET /\r\n\r\n"
    assert exchange(stub.url, request).count(b"HTTP/1.1 400 ") == 1
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_new_connection_replaces_the_oldest_idle_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS_PER_CLIENT", 2)
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0.0)
    with serve(folder) as url, ExitStack() as stack:
        clients = [stack.enter_context(closing(connect(url))) for _ in range(2)]
        for client in clients:
            client.sendall(_ASK)
            _answer(client)
        third = stack.enter_context(closing(connect(url)))
        third.sendall(_ASK)
        assert _answer(third).startswith(b"HTTP/1.1 200 ")
        assert clients[0].recv(1) == b""
        clients[1].sendall(_ASK)
        assert _answer(clients[1]).startswith(b"HTTP/1.1 200 ")


def test_a_tls_connection_that_is_closing_can_be_replaced() -> None:
    """asyncio's TLS transport has no write buffer after its second close."""
    connection = Connection(Mock(), Mock())
    no_buffer = Mock(side_effect=AttributeError("_get_write_buffer_size"))
    transport = Mock(is_closing=Mock(return_value=True), get_write_buffer_size=no_buffer)
    connection._transport = transport
    connection.replace(at_once=False)
    assert connection.is_replaced
    transport.abort.assert_called_once_with()


def test_a_client_address_has_a_limit_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS_PER_CLIENT", 1)
    with serve(folder) as url, closing(connect(url)) as client:
        client.sendall(_ASK)
        _answer(client)
        assert exchange(url, _ASK).startswith(b"HTTP/1.1 503 ")


def test_a_head_that_takes_too_long_is_answered_with_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_HEAD_SECONDS", 0.05)
    with serving(echo) as url:
        assert exchange(url, b"GET / HTTP/1.1\r\nHo").startswith(b"HTTP/1.1 408 ")
        assert exchange(url) == b"", "nothing was asked"


_SLOW = {
    "nothing": b"",
    "head": b"GET / HTTP/1.1\r\nX-",
    "body": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n",
    "reading": b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.mark.parametrize("kind", _SLOW)
def test_slow_clients_do_not_block_others(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 4)
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0.0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/large":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(400):
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await echo(scope, receive, send)

    with serving(app) as url, ExitStack() as stack:
        slow = [stack.enter_context(closing(connect(url))) for _ in range(4)]
        for client in slow:
            client.sendall(_SLOW[kind])
        if kind == "reading":
            for client in slow:
                client.recv(1)
        # Each of these closes one of the four; their own connections are closed before.
        for _ in range(3):
            assert exchange(
                url, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % b"/x"
            ).startswith(b"HTTP/1.1 200 ")
    assert caplog.text.count("more than 4 connections to this port") == 1


def test_all_listeners_of_a_server_share_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MAX_TOTAL", 2)
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0.0)
    shared = Connections()
    transports = [Mock() for _ in range(3)]

    async def accept_all() -> None:
        for number, transport in enumerate(transports):
            transport.get_extra_info.side_effect = {
                "peername": ("127.0.0.1", 1000 + number),
                "sockname": ("127.0.0.1", number),
            }.get
            transport.is_closing.return_value = False
            transport.get_write_buffer_size.return_value = 0
            Connection(shared, Mock()).connection_made(transport)

    asyncio.run(accept_all())
    assert [transport.close.called for transport in transports] == [True, False, False]


@pytest.mark.parametrize(("descriptors", "limit"), [(1024, 256), (64, 16), (2, 1), (-1, 4096), (10**6, 4096)])
def test_the_limit_of_a_server_follows_from_the_file_descriptors(
    descriptors: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert connections._max_total() == limit


def test_no_private_attribute_of_the_server_is_used() -> None:
    """The wrapped protocol gets only the callbacks that asyncio documents; nothing else imports internals."""
    callbacks = {name for name in vars(asyncio.Protocol) | vars(asyncio.BaseProtocol) if name[0] != "_"}
    used, wrapped = set[str](), "connections.py:self._http"
    for path in Path("pkigen").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvicorn."):
                assert path.name == "connections.py", path
                assert [alias.name for alias in node.names] == ["H11Protocol"], path
            if isinstance(node, ast.Attribute) and f"{path.name}:{ast.unparse(node.value)}" == wrapped:
                used.add(node.attr)
            if isinstance(node, ast.Attribute) and node.attr in _INTERNAL:
                pytest.fail(f"{path}:{node.lineno}: {node.attr} belongs to uvicorn's implementation")
    assert used == callbacks


_INTERNAL = {
    "_start_asgi_task",
    "_unset_keepalive_if_required",
    "cycle",
    "message_event",
    "pipeline",
    "response_complete",
    "response_started",
    "waiting_for_100_continue",
    "handle_events",
}


def test_a_connection_that_is_accepted_while_the_server_stops_is_closed() -> None:
    async def accept(connections: Connections) -> Mock:
        transport = Mock()
        transport.get_extra_info.return_value = ("127.0.0.1", 1)
        connection = Connection(connections, Mock())
        connection.connection_made(transport)
        connection.connection_lost(None)
        return transport

    connections = Connections()
    assert not asyncio.run(accept(connections)).close.called
    connections.is_closing = True
    assert asyncio.run(accept(connections)).close.called
