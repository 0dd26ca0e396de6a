"""The line for each request."""

from __future__ import annotations

import asyncio
import io
import os
import re
import socket
import threading
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.serve.control.request_log import FAULT
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.limited_server import LimitedServer
from pkigen.serve.http.server import listen

SCOPE: dict[str, Any] = {
    "type": "http",
    "client": ("127.0.0.1", 50000),
    "method": "GET",
    "raw_path": b"/crl/root.crl",
    "query_string": b"",
    "http_version": "1.1",
}


async def _right(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    await send({"type": "http.response.body", "body": b"de"})


async def _cut(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})


def _line(status: int = 200, octets: int = 5, whole: bool = True, **scope: Any) -> str:
    stream = io.StringIO()
    log = AccessLog(stream)

    async def note() -> None:
        log.note({**SCOPE, **scope}, status, octets, 12.5, whole)

    asyncio.run(note())
    log.flush()
    return stream.getvalue()


def test_a_line_has_status_bytes_and_milliseconds() -> None:
    assert _line().endswith(' 127.0.0.1:50000 "GET /crl/root.crl HTTP/1.1" 200 5 12.5\n')
    assert '"GET /crl/root.crl?a=b HTTP/1.1"' in _line(query_string=b"a=b")
    assert " [::1]:50000 " in _line(client=("::1", 50000))


def test_the_log_marks_truncated_responses() -> None:
    assert _line(whole=False).endswith(" 200 5 12.5 cut\n")
    assert _line(status=0, octets=0, whole=False).endswith(" - 0 12.5 cut\n")


def test_the_log_names_the_fault_of_a_response() -> None:
    wrong: dict[str, Any] = {FAULT: "crl-http-500"}
    assert _line(**wrong).endswith(" 200 5 12.5 [crl-http-500]\n")
    assert _line(whole=False, **wrong).endswith(" cut [crl-http-500]\n")


def test_client_data_cannot_inject_terminal_escapes_or_log_lines() -> None:
    line = _line(raw_path=b'/\x1b[2J\r\nfake"\xc3\xbc')
    assert '"GET /%1B[2J%0D%0Afake%22%C3%BC HTTP/1.1"' in line
    assert len(_line(raw_path=b"/" + b"a" * 10_000)) < 700


@pytest.mark.parametrize(
    ("app", "end"), [(_right, "200 5 [0-9.]+\n"), (_cut, "200 3 [0-9.]+ cut\n")], ids=["whole", "cut"]
)
def test_each_request_is_logged_soon_without_another_request(app: ASGIApp, end: str) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as lines, os.fdopen(write, "w") as stream, listen("127.0.0.1", 0) as listener:
        server = LimitedServer(app, AccessLog(stream), grace=2)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.socket]})
        thread.start()
        try:
            with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as client:
                client.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
                assert re.search(f'"GET /a HTTP/1.1" {end}$', lines.readline())
        finally:
            server.should_exit = True
            thread.join()


def test_a_log_that_nobody_reads_stops_no_server() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as read_end, open(writer, "w", buffering=1) as stream:
        log = AccessLog(stream)

        async def note() -> None:
            for number in range(30_000):
                log.note({**SCOPE, "raw_path": f"/{number}".encode()}, 200, 5, 1.0, True)
                if number % 1000 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(0.1)

        asyncio.run(asyncio.wait_for(note(), 30))
        stream.write("another message\n")  # other code finds room in the pipe
        collected = threading.Thread(target=_read_all, args=(read_end, chunks := list[bytes]()))
        collected.start()
        log.flush()
        stream.close()
        collected.join()
    text = b"".join(chunks).decode()
    assert text.count('"GET /') + 1 >= 10_000
    assert re.search(r"\d+ requests are missing: the log was not read\n$", text)
    assert "another message\n" in text


def _read_all(stream: io.RawIOBase, chunks: list[bytes]) -> None:
    while part := stream.read(65_536):
        chunks.append(part)
