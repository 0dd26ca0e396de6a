"""Which requests are valid, and the order and completeness of their answers."""

from __future__ import annotations

import re
import socket
from contextlib import closing

import pytest

from pkigen.serve.http import connections
from tests.serve.http.raw import GET, connect, echo, exchange, read_all, serving


@pytest.mark.parametrize(
    ("target", "echoed"),
    [
        (b"http://other", b"[other /]"),
        (b"http://other?x", b"[other /]"),
        (b"HTTPS://other:1/a", b"[other:1 /a]"),
        (b"http://[::1]/a", b"[[::1] /a]"),
        (b"http:///a", b""),
        (b"http://user@other/a", b""),
        (b"ftp://other/a", b""),
        (b"other/a", b""),
        (b"*", b""),
    ],
)
def test_the_authority_of_an_absolute_form_target_is_the_host(target: bytes, echoed: bytes) -> None:
    with serving(echo) as url:
        response = exchange(url, b"GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % target)
    assert response.startswith(b"HTTP/1.1 200 " if echoed else b"HTTP/1.1 400 ")
    assert echoed in response


@pytest.mark.parametrize(
    ("version", "status"), [(b"1.1", 200), (b"1.0", 200), (b"2.0", 505), (b"0.9", 505), (b"9.9", 505)]
)
def test_other_versions_than_http_1_are_rejected(version: bytes, status: int) -> None:
    """RFC 9110, 15.6.6."""
    with serving(echo) as url:
        response = exchange(url, b"GET / HTTP/%s\r\nHost: h\r\nConnection: close\r\n\r\n" % version)
    assert response.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        ([], 400),
        ([b"a", b"b"], 400),
        ([b"a", b"a"], 400),
        ([b"a b"], 400),
        ([b"a/b"], 400),
        ([b"user@a"], 400),
        ([b"a, b"], 400),
        ([b"a:b"], 400),
        ([b"[::1"], 400),
        ([b"\xff"], 400),
        ([b""], 200),
        ([b"a_b.test:"], 200),
        ([b"[::1]:8080"], 200),
    ],
)
def test_a_request_needs_one_valid_host(hosts: list[bytes], status: int) -> None:
    """RFC 9112, 3.2."""
    fields = b"".join(b"Host: %s\r\n" % host for host in hosts)
    with serving(echo) as url:
        response = exchange(url, b"GET / HTTP/1.1\r\nConnection: close\r\n%s\r\n" % fields)
    assert response.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "last", [b"\0\1 garbage\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"]
)
def test_an_error_does_not_overtake_earlier_responses(last: bytes) -> None:
    with serving(echo) as url, closing(connect(url)) as client:
        client.sendall(GET % b"/slow" + GET % b"/slow" + last)
        client.shutdown(socket.SHUT_WR)
        response = read_all(client)
    assert re.findall(rb"HTTP/1.1 (\d+) ", response) == [b"200", b"200", b"400"]


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_half_closed_client_gets_every_response(count: int, caplog: pytest.LogCaptureFixture) -> None:
    with serving(echo) as url, closing(connect(url)) as client:
        client.sendall(GET % b"/slow" * min(count, 3) + GET % b"/x" * max(0, count - 3))
        client.shutdown(socket.SHUT_WR)
        response = read_all(client)
    assert response.count(b"HTTP/1.1 200 ") == count
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "start", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_an_incomplete_request_ends_with_its_client(
    start: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_LINGER_SECONDS", 0.5)
    with serving(echo) as url, closing(connect(url)) as client:
        client.sendall(GET % b"/slow" + start)
        client.shutdown(socket.SHUT_WR)
        response = read_all(client)
    assert re.findall(rb"HTTP/1.1 (\d+) ", response) == [b"200"]
    assert "Traceback" not in caplog.text
