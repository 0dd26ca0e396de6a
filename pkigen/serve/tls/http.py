"""One HTTP request, one answer (RFC 9112): the page about a case, for whoever got through to it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import h11

PROTOCOL = b"http/1.1"
PLAIN_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: 30\r\n\r\nThis port speaks plain HTTP.\r\n"
)
"""What a server says to a ClientHello that does not know TLS."""

_MOST_HEADER_BYTES = 16 * 1024
_HEADERS = [
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ("Vary", "Accept"),
    ("X-Content-Type-Options", "nosniff"),
]


class Exchange:
    """Takes the octets of a request, in any pieces, and gives those of the answer once it is whole.

    ``page`` gives the body for HTML or for text.
    """

    def __init__(self, page: Callable[[bool], str]) -> None:
        self._page = page
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEADER_BYTES)
        self._head = False

    def receive(self, data: bytes) -> bytes:
        """The answer, or nothing as long as the request goes on."""
        try:
            self._http.receive_data(data)
            request = self._http.next_event()
        except h11.RemoteProtocolError as error:
            return self._answer(error.error_status_hint, "text/plain", f"{error}\n")
        if not isinstance(request, h11.Request):
            return b""
        if request.method not in (b"GET", b"HEAD"):
            allowed = ("Allow", "GET, HEAD")
            return self._answer(405, "text/plain", "Only GET and HEAD are allowed.\n", allowed)
        self._head = request.method == b"HEAD"
        html = any(name == b"accept" and b"text/html" in value for name, value in request.headers)
        return self._answer(200, "text/html" if html else "text/plain", self._page(html))

    def _answer(self, status: int, kind: str, text: str, *further: tuple[str, str]) -> bytes:
        body = text.encode(errors="replace")
        headers = [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *_HEADERS,
            *further,
        ]
        response = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
        data = b"" if self._head else body  # as long as the header says, and left out
        parts = (response, h11.Data(data=data), h11.EndOfMessage())
        return b"".join(self._http.send(part) or b"" for part in parts)
