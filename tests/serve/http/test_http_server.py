"""Sockets, threads, limits: how the stub starts, holds and ends."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure
from pkigen.serve import serve
from pkigen.serve.http import connections
from pkigen.serve.http.server import listen
from tests.cli.conftest import finish, start
from tests.serve.conftest import Stub


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_two_stubs_get_different_ports(folder: Path) -> None:
    with serve(folder) as first, serve(folder) as second:
        assert first != second
        assert (
            Stub(folder, first).ask("/healthz").status == Stub(folder, second).ask("/healthz").status == 200
        )


def test_the_server_ends_with_its_block_and_frees_its_port(folder: Path) -> None:
    with serve(folder) as url:
        assert Stub(folder, url).ask("/healthz").status == 200
    assert not [thread for thread in threading.enumerate() if thread.name == "pkigen-serve"]
    with pytest.raises(ConnectionRefusedError):
        Stub(folder, url).ask("/healthz")
    with serve(folder, port=_port(url)) as again:
        assert again == url


def test_the_server_ends_when_its_block_fails(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), serve(folder):
        raise ZeroDivisionError
    assert not [thread for thread in threading.enumerate() if thread.name == "pkigen-serve"]


def test_the_server_ends_while_a_client_is_connected(folder: Path) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", timeout=10)) as client:
        with serve(folder) as url:
            client.port = _port(url)
            client.request("GET", "/healthz")
            assert client.getresponse().read() == b"ok\n"
        assert client.sock.recv(4096) == b""


def test_a_block_without_a_request_ends_at_once(folder: Path) -> None:
    with serve(folder):
        pass


def test_a_used_port_is_reported_with_a_remedy(folder: Path) -> None:
    with serve(folder) as url:
        again = serve(folder, port=_port(url))
        with pytest.raises(EnvironmentFailure, match=rf"port {_port(url)}: .*--port 0"), again:
            pass


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a" * 300])
def test_an_address_of_another_machine_is_reported(folder: Path, host: str) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot listen on"), serve(folder, host=host):
        pass


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_is_served_and_its_url_has_brackets(folder: Path) -> None:
    try:
        with serve(folder, host="::1") as url:
            assert url.startswith("http://[::1]:")
            assert Stub(folder, url).ask("/healthz").status == 200
    except EnvironmentFailure:
        pytest.skip("IPv6 is switched off here")


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:"), ("::", "http://[::1]:")])  # noqa: S104
def test_a_server_on_all_addresses_has_a_local_url(host: str, url: str) -> None:
    try:
        with listen(host, 0) as listener:
            assert listener.url == f"{url}{listener.port}"
            socket.create_connection(listener.here, 10).close()
    except EnvironmentFailure:
        assert host == "::", "a machine may be without IPv6"


def test_endless_headers_end_the_connection(stub: Stub) -> None:
    with socket.create_connection(("127.0.0.1", _port(stub.url)), timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with suppress(ConnectionError):
            for _ in range(10_000):
                client.sendall(b"a" * 4096)
            pytest.fail("it takes headers without end")
    assert stub.ask("/healthz").status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/one\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_data_that_is_not_http_is_rejected_and_the_next_client_is_served(
    stub: Stub, request_bytes: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", _port(stub.url)), timeout=10) as client:
        client.sendall(request_bytes)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096)[:13] in (b"", b"HTTP/1.1 400 ")
    assert stub.ask("/healthz").status == 200


def test_a_slow_client_is_disconnected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_CONNECTION_SECONDS", 0.05)
    with serve(folder) as url, socket.create_connection(("127.0.0.1", _port(url)), timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert client.recv(4096) == b""


def test_connections_above_the_limit_get_503(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 2)
    with serve(folder) as url:
        idle = [socket.create_connection(("127.0.0.1", _port(url)), timeout=10) for _ in range(2)]
        assert Stub(folder, url).ask("/healthz").status == 503
        for client in idle:
            client.close()


def test_a_request_in_progress_is_answered_before_the_server_ends(folder: Path) -> None:
    process = start("serve", folder, "--port", "0")
    assert process.stdout is not None
    port = _port(process.stdout.readline().decode().strip())
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        process.send_signal(signal.SIGTERM)
        _until_nobody_listens(port)
        client.sendall(b"ab")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    outcome = finish(process)
    assert outcome.code == 0
    assert '"POST /ocsp HTTP/1.1" 200 5 ' in outcome.err
    assert "Traceback" not in outcome.err


def test_an_endless_request_does_not_delay_the_end_of_the_server(folder: Path) -> None:
    process = start("serve", folder, "--port", "0")
    assert process.stdout is not None
    port = _port(process.stdout.readline().decode().strip())
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
    assert outcome.code == 0
    assert "cut" in outcome.err
    assert "Traceback" not in outcome.err


def _until_nobody_listens(port: int) -> None:
    with suppress(ConnectionError):
        while True:
            # A connection without a request takes no time here, and thousands of them hold the server up.
            with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:
                probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                probe.recv(4096)
