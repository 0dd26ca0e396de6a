"""A web server of bad manners, which ends when its test does."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

_STEP = 0.02
"""Seconds between two bytes of a slow response."""


@dataclass
class Site:
    """The content of an HTTP server; ``requests`` are the targets of the request lines, in order.

    Besides ``files`` and ``redirects``: /hop/N redirects N times, /loop forever, /to?URL to a URL; /drip and
    /drip-headers send a byte from time to time, /silent sends none; /endless does not end.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    url: str = ""


class _Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has had enough is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Nobody reads it."""

    def do_GET(self) -> None:
        site, path = self.server.site, self.path
        site.requests.append(path)
        if path in site.files:
            self._answer(site.files[path])
        elif path == "/gzip":
            self._answer(gzip.compress(b"squeezed"), "gzip")
        elif path in site.redirects:
            self._redirect(f"?{site.redirects[path]}")
        elif path == "/loop" or path.startswith(("/hop/", "/to?")):
            self._redirect(path)
        elif path in ("/drip", "/endless"):
            self._stream(path)
        elif path == "/drip-headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100_000)
        elif path == "/silent":
            site.ended.wait()
        else:
            self.send_error(404)

    def _answer(self, body: bytes, encoding: str = "") -> None:
        self.send_response(200)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, path: str) -> None:
        where = path
        if path.startswith("/hop/"):
            left = int(path.removeprefix("/hop/")) - 1
            where = f"/hop/{left}" if left else "/crl"
        self.send_response(302)
        self.send_header("Location", where.partition("?")[2] or where)
        self.end_headers()

    def _stream(self, path: str) -> None:
        self.send_response(200)
        self.end_headers()
        if path == "/drip":
            self._drip(b"x" * 100_000)
        while not self.server.site.ended.is_set():
            self.wfile.write(b"x" * 65_536)

    def _drip(self, data: bytes) -> None:
        for octet in data:
            if self.server.site.ended.wait(_STEP):
                return
            self.wfile.write(bytes((octet,)))


@contextmanager
def running() -> Iterator[Site]:
    """A site at a free port of 127.0.0.1."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = site = Site(url=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
