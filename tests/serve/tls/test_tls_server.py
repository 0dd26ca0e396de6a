"""Sockets, threads, limits of the TLS endpoints: many clients, bad ones among them."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from pkigen.environment.environment import Environment
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.serve import serve_tls
from pkigen.serve.tls import server
from pkigen.serve.tls.case_selection import CaseSelector
from tests.serve.conftest import Endpoints, make_environment
from tests.serve.tls.test_tls_session import Client
from tests.serve.tls_clients import careless, python, s_client, trusting

_SOUND = b"This certificate has no fault."


def _connect(endpoints: Endpoints) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoints.port), timeout=10)


def _at(environment: Environment, url: str) -> Endpoints:
    return Endpoints(environment, int(url.rpartition(":")[2]))


def test_fifty_parallel_clients_get_their_certificates(endpoints: Endpoints) -> None:
    hosts = [endpoints.host("sound"), "console.contoso.test", "any.edge.contoso.test"]
    context = trusting(endpoints.environment.trust)
    with ThreadPoolExecutor(50) as pool:
        pages = list(pool.map(lambda at: python(endpoints, hosts[at % 3], context)[1], range(50)))
    names = (b"sensor", b"console", b"edge")
    assert all(b"\r\n\r\n" + names[at % 3] + b"\n" in page for at, page in enumerate(pages))


def test_clients_that_hang_in_the_handshake_do_not_block_others(endpoints: Endpoints) -> None:
    with ExitStack() as stack:
        for sent in (b"", b"\x16", b"\x16\x03\x01\x01\x00\x01", b"\x16\x03\x01\x00\x00") * 10:
            client = stack.enter_context(_connect(endpoints))
            client.sendall(sent)
        assert _SOUND in python(endpoints, endpoints.host("sound"), trusting(endpoints.environment.trust))[1]


_CLOSE_NOTIFY = b"\x15\x03\x03\0\x02\x01\0"


@contextmanager
def _logged(environment: Environment, caplog: pytest.LogCaptureFixture) -> Iterator[Endpoints]:
    with caplog.at_level(logging.INFO, "pkigen.serve.tls"), serve_tls(environment.folder) as url:
        yield _at(environment, url)


def test_a_client_that_hangs_in_the_handshake_gets_close_notify(
    presented: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_HANDSHAKE_SECONDS", 0.05)
    with _logged(presented, caplog) as endpoints, _connect(endpoints) as client:
        client.sendall(b"\x16\x03\x01")
        assert client.recv(4096) == _CLOSE_NOTIFY
    # Other servers of this process write to the same log.
    assert any(line.endswith("TLS no name: timed out during the handshake") for line in caplog.messages)


def test_a_client_without_a_request_gets_close_notify(
    presented: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_CONNECTION_SECONDS", 0.05)
    with _logged(presented, caplog) as endpoints, _connect(endpoints) as client:
        host = "sensor.contoso.test"
        with careless().wrap_socket(client, server_hostname=host, suppress_ragged_eofs=False) as tls:
            assert tls.recv(4096) == b""
    assert any(line.endswith("sensor: timed out without a request") for line in caplog.messages)


@pytest.mark.parametrize("limit", ["_MAX_CONNECTIONS", "_MAX_CONNECTIONS_PER_CLIENT"])
def test_a_new_connection_closes_the_oldest_idle_one(
    presented: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, limit: str
) -> None:
    monkeypatch.setattr(server, limit, 2)
    with _logged(presented, caplog) as endpoints, ExitStack() as stack:
        # Each is idle after its handshake.
        clients = [
            stack.enter_context(
                careless().wrap_socket(
                    _connect(endpoints), server_hostname="sensor.contoso.test", suppress_ragged_eofs=False
                )
            )
            for _ in range(2)
        ]
        assert _SOUND in python(endpoints, "sensor.contoso.test", careless())[1]
        assert clients[0].recv(4096) == b""
        clients[1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert clients[1].recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert "idle, closed for a new connection from 127.0.0.1 (limit 2)" in caplog.text


def test_a_new_connection_is_rejected_with_an_alert_if_all_others_are_active(
    presented: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 1)
    with _logged(presented, caplog) as endpoints, _connect(endpoints) as slow:
        slow_client = Client(careless(), "tls-slow-handshake.sensor.contoso.test")
        slow.sendall(slow_client.step(b""))
        slow.recv(1)
        with _connect(endpoints) as client:
            assert client.recv(4096) == b"\x15\x03\x03\0\x02\x02\x50"
    assert "refused: all of the 1 open connections are active" in caplog.text


def test_endless_bytes_end_the_connection(endpoints: Endpoints) -> None:
    header = b"GET / HTTP/1.1\r\nHost: x\r\nX: "
    context = careless()
    with _connect(endpoints) as client, context.wrap_socket(client, server_hostname="x") as tls:
        tls.sendall(header + b"a" * 40_000)
        assert tls.recv(4096).startswith(b"HTTP/1.1 431 ")
    assert _SOUND in python(endpoints, endpoints.host("sound"), context)[1]


def test_the_endpoints_end_with_their_block(presented: Environment) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        with serve_tls(presented.folder) as url:
            endpoints = _at(presented, url)
            client = stack.enter_context(_connect(endpoints))
            client.sendall(b"\x16\x03\x01")
            assert _SOUND in python(endpoints, None, careless())[1]
        with suppress(ConnectionError):
            assert client.recv(4096) == _CLOSE_NOTIFY
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        _connect(endpoints)
    with serve_tls(presented.folder, port=endpoints.port) as again:
        assert again == url


def test_a_block_without_a_request_or_with_an_error_ends_at_once(presented: Environment) -> None:
    with serve_tls(presented.folder):
        pass
    with pytest.raises(ZeroDivisionError), serve_tls(presented.folder):
        raise ZeroDivisionError


def test_a_client_without_sni_gets_the_certificate_of_the_address(presented: Environment) -> None:
    fingerprints = {case.data["sha256"]: case.name for case in presented.cases()}
    for address, name in (("127.0.0.2", "gateway"), ("127.0.0.3", "sensor")):
        with serve_tls(presented.folder, host=address) as url:
            certificate, _ = python(_at(presented, url), None, careless(), address)
        assert fingerprints[sha256(certificate).hexdigest()] == name


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_is_served_and_its_url_has_brackets(presented: Environment) -> None:
    try:
        with serve_tls(presented.folder, host="::1") as url:
            assert url.startswith("https://[::1]:")
            endpoints = _at(presented, url)
            context = trusting(presented.trust)
            assert _SOUND in python(endpoints, "sensor.contoso.test", context, "::1")[1]
    except EnvironmentFailure:
        pytest.skip("IPv6 is switched off here")


def test_a_used_port_is_reported_with_a_remedy(presented: Environment) -> None:
    with serve_tls(presented.folder) as url:
        port = int(url.rpartition(":")[2])
        again = serve_tls(presented.folder, port=port)
        with pytest.raises(EnvironmentFailure, match=rf"port {port}: .*--tls-port 0"), again:
            pass


def test_an_environment_without_certificates_is_rejected(tmp_path: Path) -> None:
    folder = make_environment(tmp_path / "empty", "http://127.0.0.1")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().removesuffix("}") + ', "cases": []}')
    with pytest.raises(InputError, match="no end-entity certificate to present"), serve_tls(folder):
        pass


@pytest.mark.needs("openssl")
def test_the_log_has_client_and_result_of_each_handshake(
    presented: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pkigen.serve.tls"), serve_tls(presented.folder) as url:
        endpoints = _at(presented, url)
        python(endpoints, "sensor.contoso.test", careless())
        s_client(endpoints, "expired.sensor.contoso.test")
        s_client(endpoints, "key-empty.sensor.contoso.test")
        with suppress(ssl.SSLError), _connect(endpoints) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while client.recv(100):
                pass
    unsigned = "key-empty.sensor.contoso.test sensor.key-empty"
    lines = [re.sub(r"^127\.0\.0\.1:\d+ TLS ", "", line) for line in caplog.messages]
    assert sorted(lines) == [
        "expired.sensor.contoso.test sensor.expired: rejected by the client: certificate_expired",
        f"{unsigned}: rejected by the client: decrypt_error (key file: the file is empty)",
        "no name: aborted by the server: unexpected_message",
        "sensor.contoso.test sensor: completed the TLS 1.3 handshake and sent the page",
    ]


@pytest.mark.needs("openssl")
def test_a_key_share_of_another_group_is_requested(endpoints: Endpoints) -> None:
    result = s_client(endpoints, endpoints.host("sound"), "-groups", "ffdhe2048:P-384", "-tls1_3")
    assert "Verification: OK" in result.text
    assert "Temp Key: ECDH, secp384r1" in result.text
    result = s_client(endpoints, endpoints.host("sound"), "-groups", "X448", "-tls1_3")
    assert "Temp Key: X448" in result.text
    none = s_client(endpoints, endpoints.host("sound"), "-groups", "ffdhe2048", "-tls1_3")
    assert "alert handshake failure" in none.text


class _Transport(asyncio.Transport):
    """Records whether the server reads."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.reads = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def write(self, data: object) -> None:
        """Discard."""

    def abort(self) -> None:
        """Nothing to close."""


def test_nothing_is_read_from_a_client_that_does_not_read(presented: Environment) -> None:
    async def states() -> list[bool]:
        endpoints = server.Endpoints(CaseSelector(presented.folder))
        connection, transport = server.Connection(endpoints), _Transport()
        connection.connection_made(transport)
        connection.pause_writing()
        result = [transport.reads]
        connection.data_received(b"\x16")  # what the kernel had delivered before
        result.append(transport.reads)
        connection.resume_writing()
        result.append(transport.reads)
        connection.close("end of the test")
        return result

    assert asyncio.run(states()) == [False, False, True]


def test_a_client_that_resets_its_connection_causes_no_error(presented: Environment) -> None:
    class Reset(_Transport):
        def write_eof(self) -> None:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    async def outcome() -> str:
        endpoints = server.Endpoints(CaseSelector(presented.folder))
        connection, transport = server.Connection(endpoints), Reset()
        connection.connection_made(transport)
        transport.reads = False
        connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
        assert transport.reads  # which reports the reset
        connection.connection_lost(OSError(errno.ECONNRESET, "Connection reset by peer"))
        assert not endpoints.connections
        return connection._session.outcome

    assert "reset" not in asyncio.run(outcome())
