"""One HTTP exchange (RFC 9112) on a TLS endpoint: the request and the page about the presented case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from http import HTTPStatus
from typing import Any

import h11

from pkigen.clock import utc_now
from pkigen.environment.status import dated_state
from pkigen.serve.tls.expected import NOT_SENT, expected_over_tls
from pkigen.serve.tls.handshake_signature import required_of_clients

PROTOCOLS = (b"http/1.1", b"http/1.0")
"""ALPN names of the protocols, in order of preference."""
PLAIN_HTTP_RESPONSE = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: 30\r\n\r\nThis port speaks plain HTTP.\r\n"
)
"""Response to a ClientHello by a server that does not support TLS."""

_MOST_HEADER_BYTES = 16 * 1024
_HEADERS = [
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ("Vary", "Accept"),
    ("X-Content-Type-Options", "nosniff"),
]


class HttpExchange:
    """Parses a request that arrives in pieces and returns the response when it is complete.

    ``page`` returns the body, as HTML if its argument is true.
    """

    def __init__(self, page: Callable[[bool], str]) -> None:
        self._page = page
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEADER_BYTES)
        self._head = False

    def receive(self, data: bytes) -> bytes:
        """Return the response, or nothing while the request is incomplete."""
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
        data = b"" if self._head else body
        parts = (response, h11.Data(data=data), h11.EndOfMessage())
        return b"".join(self._http.send(part) or b"" for part in parts)


_CLASSES = {
    "R": "A strict client rejects the certificate; a client that displays this page did not check it.",
    "A": "A control: clients accept the certificate.",
    "P": "Path validation accepts the certificate; linters and requirement sets reject it.",
    "V": "Clients differ in their verdict.",
}

_VERDICTS = {
    "accept": ("good", "Clients accept this certificate."),
    "reject": ("bad", "Clients must reject this certificate."),
    "varies": ("notice", "Clients differ: some accept this certificate, others reject it."),
}
"""Color and statement of each expected verdict, as at badssl.com."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --ground: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #343b44; --ground: #14181d; } }
body { margin: 0; color: var(--ink); background: var(--ground); font: 1rem/1.55 system-ui, sans-serif; }
header { padding: 2.5rem max(1.25rem, 50vw - 23rem); color: #ffffff; text-align: center; }
header.good { background: #13753b; }
header.bad { background: #b3202f; }
header.notice { background: #855600; }
header p { margin: 0; color: inherit; }
main { margin: 0 auto; padding: 1.5rem 1.25rem 2.5rem; max-width: 46rem; }
h1 { margin: 0 0 .4rem; font-size: clamp(1.5rem, 6vw, 2.6rem); overflow-wrap: anywhere; }
p { margin: 0 0 1.6rem; color: var(--soft); }
dl { margin: 0; border-top: 1px solid var(--line); }
dt { padding-top: .7rem; color: var(--soft); font-size: .85rem; font-weight: 600; }
dd { margin: 0; padding-bottom: .7rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
"""
_OF_RFC_5280 = re.compile(r"[0-9]|[A-C]\.[0-9]")


def page_as_text(data: dict[str, Any]) -> str:
    """Return the page for terminals; ``data`` is the object of the case in the manifest."""
    rows = "".join(f"{label}: {value}\n" for label, value in _rows(data))
    return f"{data['name']}\n{_VERDICTS[expected_over_tls(data)][1]}\n{_headline(data)}\n\n{rows}"


def page_as_html(data: dict[str, Any]) -> str:
    """Return the page for browsers, without external resources."""
    grade, verdict = _VERDICTS[expected_over_tls(data)]
    rows = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in _rows(data))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(data["name"])} - pkigen</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header class="{grade}">
<h1>{escape(data["name"])}</h1>
<p><strong>{verdict}</strong></p>
</header>
<main>
<p>{escape(_headline(data))}</p>
<dl>
{rows}
</dl>
</main>
</body>
</html>
"""


def _headline(data: dict[str, Any]) -> str:
    fault, verdict = data.get("fault"), data["verdict"]
    if fault is not None:
        return " ".join(filter(None, (str(fault["says"]), dated_state(data, utc_now()))))
    if verdict["expected"] == "accept":
        return "This certificate has no fault."
    return f"This certificate has no injected fault, but clients must reject it: {verdict['reason']}."


def _clause(text: str) -> str:
    """Clauses without a document name are those of RFC 5280."""
    return f"RFC 5280, {text}" if _OF_RFC_5280.match(text) else text


def _rows(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    fault, verdict = data.get("fault"), data["verdict"]
    if fault is not None:
        if fault["shows"]:
            yield "Symptoms and remedy", fault["shows"]
        if fault["clause"]:
            yield "Clause", _clause(fault["clause"])
        if expected_over_tls(data) != verdict["expected"]:
            yield "Clients", f"{NOT_SENT} Expected over TLS: {expected_over_tls(data)}."
        elif fault["verdict"]:
            yield "Clients", _CLASSES[fault["verdict"]]
        if fault["base"]:
            yield "Copy of", fault["base"]
    yield "Expected", " ".join(filter(None, (verdict["expected"], _stage(verdict), _when(verdict))))
    yield "Hosts", ", ".join(data["hosts"]) or "none"
    yield "Key", f"{data['key']['kind']}; clients must support {required_of_clients(data['key']['kind'])}"
    yield "Valid", f"{data['not_before']} to {data['not_after']}"
    yield "SHA-256", data["sha256"]


def _stage(verdict: dict[str, Any]) -> str:
    return f"(stage: {verdict['stage']})" if verdict["stage"] else ""


def _when(verdict: dict[str, Any]) -> str:
    return f"at {verdict['at']}" if verdict.get("at") else ""
