"""Servers that break off, pack or talk nonsense: a fetch ends with words, in time and in little memory."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pkigen.inspection.path.http_fetch import FetchError, fetch
from tests.inspection.path.http_site import running

_RESET = struct.pack("ii", 1, 0)


@contextmanager
def speaking(*answers: bytes, reset: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that sends these responses, one per connection; yield its URL and the requests."""
    requests = list[bytes]()

    def serve(listener: socket.socket) -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(65_536))
                try:
                    connection.sendall(answer)
                except OSError:
                    continue
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/crl", requests
        finally:
            listener.close()
            thread.join(10)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(header.lower().startswith("transfer-encoding") for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(*answers: bytes, reset: bool = False, most: int = 1_000_000) -> str:
    """Why a fetch from such a server gives nothing, without the URL."""
    with speaking(*answers, reset=reset) as (url, _), pytest.raises(FetchError) as refused:
        fetch(url, timeout=5, most=most)
    words = str(refused.value)
    assert words.startswith(f"{url}: ")
    assert "\n" not in words
    return words.removeprefix(f"{url}: ")


def test_a_connection_that_is_reset_is_reported() -> None:
    assert refusal(b"", reset=True) in (
        "Connection reset by peer",
        "Server disconnected without sending a response.",
    )


def test_a_server_that_closes_the_connection_is_reported() -> None:
    assert refusal(b"") == "Server disconnected without sending a response."


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    ],
)
def test_a_truncated_body_is_an_error(cut: bytes) -> None:
    assert "without sending complete message body" in refusal(cut)


@pytest.mark.parametrize("status", ["500 Oops", "204 No Content", "206 Partial Content", "404 Not Found"])
def test_every_status_but_200_is_an_error_with_its_number(status: str) -> None:
    assert refusal(answer(b"", status=status)) == f"HTTP {status[:3]}"


def test_a_redirect_without_a_location_is_reported_with_its_status() -> None:
    assert refusal(answer(b"", status="302 Found")) == "HTTP 302"


@pytest.mark.parametrize(
    "response",
    [
        b"\x00\x01 junk\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    ],
)
def test_a_response_that_is_not_http_is_an_error(response: bytes) -> None:
    assert refusal(response)


def test_no_content_encoding_is_requested() -> None:
    with speaking(answer(b"octets")) as (url, requests):
        assert fetch(url) == b"octets"
    assert b"accept-encoding: identity" in requests[0].lower()


@pytest.mark.parametrize("packing", ["gzip, gzip", "deflate", "br", "zstd", "gzip,identity"])
def test_another_content_encoding_than_gzip_is_rejected_by_name(packing: str) -> None:
    words = refusal(answer(b"abc", f"Content-Encoding: {packing}"))
    assert words == f"unsupported Content-Encoding '{packing}'"


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(bytes(64_000_000)), gzip.compress(b"x")[:5] + b"\xff" * 9],
    ids=["a bomb", "broken"],
)
def test_a_decompression_bomb_and_broken_gzip_cost_no_memory(packed: bytes) -> None:
    tracemalloc.start()
    try:
        assert refusal(answer(packed, "Content-Encoding: gzip"), most=1000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("most", [10, 11])
def test_the_limit_applies_to_the_decompressed_body(most: int) -> None:
    packed = answer(gzip.compress(b"0123456789"), "Content-Encoding: gzip")
    with speaking(packed) as (url, _):
        assert fetch(url, most=most) == b"0123456789"
    assert refusal(packed, most=9) == "more than 9 bytes"


def test_redirects_share_one_deadline() -> None:
    # Each hop is within the time limit; together they are not.
    ended = threading.Event()

    def slow(listener: socket.socket) -> None:
        for _ in range(6):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                if ended.wait(0.2):
                    return
                connection.sendall(answer(b"", "Location: /again", status="302 Found"))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=slow, args=(listener,))
        thread.start()
        start = time.monotonic()
        with pytest.raises(FetchError, match="it does not answer in time"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/crl", timeout=0.5)
        took = time.monotonic() - start
        ended.set()
        # Who waits in accept is not woken by a close.
        with socket.create_connection(listener.getsockname()):
            pass
        thread.join(10)
    assert took < 1.5


def test_an_abandoned_thread_ends_by_the_same_deadline() -> None:
    with running() as site:
        with pytest.raises(FetchError):
            fetch(f"{site.url}/silent", timeout=0.1)
        for thread in threading.enumerate():
            if thread.name == "fetch":
                thread.join(5)
                assert not thread.is_alive()


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:1/",
        "http://[::1]:1/crl",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1:65536/",
        "http://bücher.invalid/",
        "http://a b/",
        "http://127.0.0.1:1/a\r\nHost: b",
        "http://%00/",
        "http://*/",
    ],
)
def test_an_unusual_url_is_rejected_without_an_exception(url: str) -> None:
    with pytest.raises(FetchError) as refused:
        fetch(url, timeout=2)
    assert str(refused.value).startswith(f"{url}: ")


def test_a_very_long_url_is_rejected_with_a_short_message() -> None:
    with pytest.raises(FetchError, match=r"the URL is too long \(1,000,012 characters\)") as refused:
        fetch(f"http://a.test{'/a' * 500_000}"[:1_000_012])
    assert len(str(refused.value)) < 200


def test_a_redirect_to_a_very_long_url_is_rejected() -> None:
    with (
        speaking(answer(b"", f"Location: /{'a' * 5000}", status="302 Found")) as (url, _),
        pytest.raises(FetchError, match=r"the URL is too long \([0-9,]+ characters\)"),
    ):
        fetch(url)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_of_the_environment_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with speaking(answer(b"octets")) as (url, _):
        assert fetch(url) == b"octets"


def test_a_proxy_that_does_not_listen_is_reported() -> None:
    with pytest.raises(FetchError, match=r"http://a\.test/: Connection refused"):
        fetch("http://a.test/", proxy="http://127.0.0.1:1")


def test_a_proxy_gets_the_name_and_its_own_credentials() -> None:
    with speaking(answer(b"octets")) as (url, requests):
        assert fetch("http://a.test/crl", proxy=url.replace("//", "//me:secret@")) == b"octets"
    assert requests[0].startswith(b"GET http://a.test/crl HTTP/1.1\r\n")
    assert b"proxy-authorization: basic" in requests[0].lower()
