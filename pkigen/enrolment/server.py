"""The enrollment server: one TLS port with the routes of every protocol that a template names."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from threading import Event, Thread
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.enrolment.dns import TxtRecords, dns_server
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.enrolment.server_certificate import ServerContexts
from pkigen.enrolment.state import state_of
from pkigen.environment.enrol import Busy, Enroller
from pkigen.errors import InputError, PkigenError
from pkigen.profile.enrolment import Template
from pkigen.serve.control.request_log import Request as LoggedRequest
from pkigen.serve.control.request_log import RequestLogMiddleware
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.connections import CONNECTION
from pkigen.serve.http.https_server import DelegatingContext, HttpsSite, serve_sites
from pkigen.serve.http.server import Listener

MAX_BODY = 64 * 1024
"""Bytes of the largest request."""

RETRY_SECONDS = 5
KEEP_ALIVE_SECONDS = 30
"""Idle connections are closed then: later than the Retry-After of a response to a client that polls.

Otherwise the client's next request meets the closed connection, and some clients report that as an error.
"""
_LIST_SECONDS = 0.5
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_UNNAMED = ("127.0.0.1", "::1", "0.0.0.0", "::", "localhost", "")  # noqa: S104  compared, not bound
_TLS = "tls"


@dataclass(frozen=True)
class Protocol:
    """An enrollment protocol: the package of this name has a function ``routes``.

    ``path`` is the path of a template. ``is_plain`` means that the protocol protects its own messages, so
    that the stub offers it without TLS, too.
    """

    name: str
    path: str
    is_plain: bool = False


PROTOCOLS = (
    Protocol("acme", "/acme/{}/directory"),
    Protocol("est", "/.well-known/est/{}"),
    Protocol("scep", "/scep/{}", is_plain=True),
    Protocol("cmp", "/cmp/{}", is_plain=True),
)


@dataclass(frozen=True)
class Service:
    """A template that the server offers through a protocol."""

    template: str
    protocol: str
    url: str


@dataclass(frozen=True)
class EnrolmentServer:
    """A running enrollment server at ``url`` (without a trailing slash); ``enroller`` issues for it.

    ``dns_port`` is the UDP port of the DNS server for dns-01, if a template uses it.
    """

    url: str
    port: int
    services: tuple[Service, ...]
    enroller: Enroller = field(repr=False)
    faults: EnrolmentFaults = field(repr=False)
    dns_port: int | None = None

    def fault(
        self,
        *,
        id: str,  # noqa: A002
        template: str = "",
        times: int | None = None,
        endpoint: str = "",
        identifier: str = "",
        **arguments: str,
    ) -> None:
        """Set a fault from the next request on: one of the enrollment server, or of issued certificates.

        It applies ``times`` times (default: until it is removed), to requests for one template, one operation
        of the protocol (``endpoint``) and names that match a pattern (``identifier``). ``arguments`` are its
        parameters: ``after="5s"``. Raises InputError if it is invalid.
        """
        given: dict[str, object] = {"times": times, "endpoint": endpoint, "identifier": identifier}
        value = {name: text for name, text in (given | arguments).items() if text not in (None, "")}
        self.faults.put({id: value}, template=template)

    def clear(self, *, id: str = "", template: str = "") -> None:  # noqa: A002
        """Remove the faults with an ID, of a template, or all."""
        self.faults.clear(id=id, template=template)

    def requests(self, *, since: int = 0, wait: float = 0.0) -> list[LoggedRequest]:
        """Return the requests after number ``since``, of the last thousand, as soon as there is one.

        After ``wait`` seconds without a request the list is empty.
        """
        return self.faults.journal.wait(since, wait)


def offered(enroller: Enroller) -> Iterator[tuple[Template, Protocol]]:
    """Yield each template with each protocol that it names; InputError if there is none."""
    pairs = [
        (template, protocol)
        for template in enroller.templates.values()
        for protocol in PROTOCOLS
        if getattr(template.settings, protocol.name) is not None
    ]
    if not pairs:
        names = ", ".join(protocol.name for protocol in PROTOCOLS)
        raise InputError(
            f"no template of the profile names a protocol; add a section 'enrolment' with one of {names}"
        )
    yield from pairs


def routes(enroller: Enroller, faults: EnrolmentFaults, *, over_tls: bool = True) -> list[Route]:
    """Return the routes of all templates; without TLS, those of the protocols that need none."""
    result = list[Route]()
    for template, protocol in offered(enroller):
        if over_tls or protocol.is_plain:
            result += import_module(_package(protocol)).routes(template, enroller, faults)
    return result


def application(enroller: Enroller, faults: EnrolmentFaults) -> ASGIApp:
    """Return the application of the TLS port."""
    app = Starlette(
        routes=routes(enroller, faults),
        exception_handlers={HTTPException: _http_error, PkigenError: _failed, OSError: _failed},
    )
    app.router.redirect_slashes = False
    return RequestLogMiddleware(_WithClientCertificate(app), faults.journal)


@contextmanager
def serving(
    enroller: Enroller,
    listener: Listener,
    passphrases: Sequence[bytes] = (),
    log: AccessLog | None = None,
    faults: EnrolmentFaults | None = None,
) -> Iterator[EnrolmentServer]:
    """Serve until the block ends. ``log`` receives one line for each request.

    ``faults`` are the active faults (default: those of the templates).
    """
    active = faults or EnrolmentFaults.of_templates(enroller.templates.values())
    host = "localhost" if listener.host in _UNNAMED else listener.host
    url = f"https://{f'[{host}]' if ':' in host else host}:{listener.port}"
    services = tuple(
        Service(template.name, protocol.name, url + protocol.path.format(template.name))
        for template, protocol in offered(enroller)
    )
    contexts = ServerContexts(enroller, host, passphrases)
    context = DelegatingContext(ssl.PROTOCOL_TLS_SERVER)
    context.current = contexts.context
    site = HttpsSite(listener, application(enroller, active), context)
    with (
        _manifest_upkeep(enroller),
        _dns_server(enroller, listener.host) as dns_port,
        serve_sites([site], max_body=MAX_BODY, log=log, keep_alive=KEEP_ALIVE_SECONDS),
    ):
        yield EnrolmentServer(url, listener.port, services, enroller, active, dns_port)


@contextmanager
def _dns_server(enroller: Enroller, host: str) -> Iterator[int | None]:
    """Serve the TXT records for dns-01, if a template has that challenge and no other DNS server."""
    settings = [one.settings.acme for one in enroller.templates.values()]
    if any(one is not None and "dns-01" in one.challenges and one.resolver is None for one in settings):
        with dns_server(TxtRecords(state_of(enroller)).get, host) as port:
            yield port
    else:
        yield None


@contextmanager
def _manifest_upkeep(enroller: Enroller) -> Iterator[None]:
    """List issued certificates in the manifest within a second, and at the start and the end of the block.

    With more than 10,000, this takes up to a fifth of the time: nobody gets a certificate meanwhile.
    """
    ended = Event()

    def list_certificates() -> None:
        # A build that holds the lock lists them, too.
        with suppress(PkigenError, OSError):
            enroller.list_in_manifest()

    def run() -> None:
        next_start = 0.0
        while not ended.wait(_LIST_SECONDS):
            if (start := time.monotonic()) >= next_start:
                list_certificates()
                end = time.monotonic()
                next_start = end + 4 * (end - start)

    # A server that was killed may not have listed its last certificates.
    list_certificates()
    thread = Thread(target=run, name="pkigen-manifest", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        enroller.list_in_manifest()


def client_certificate(request: Request) -> bytes | None:
    """Return the certificate (DER) that the client presented in the TLS handshake."""
    tls: dict[str, Any] = request.scope.get("extensions", {}).get(_TLS, {})
    certificate: bytes | None = tls.get("client_certificate")
    return certificate


class _WithClientCertificate:
    """Adds the certificate of the TLS client (DER) to the scope of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] == "http":
            connection = scope.get(CONNECTION)
            certificate = None if connection is None else connection.client_certificate
            scope.setdefault("extensions", {})[_TLS] = {"client_certificate": certificate}
        await self._app(scope, receive, send)


def text_response(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return a response with one line of text."""
    return PlainTextResponse(f"{text}\n", status, {**_HEADERS, **(headers or {})})


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return text_response(error.status_code, f"{error.status_code} {error.detail}", dict(error.headers or {}))


async def _failed(_request: Request, error: Exception) -> Response:
    """Convert an error to an HTTP error: 503 if another process holds the environment's lock."""
    if isinstance(error, Busy):
        return text_response(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, OSError):
        return text_response(500, "500 the environment cannot be read or written")
    return text_response(500, str(error))


def _package(protocol: Protocol) -> str:
    return f"pkigen.enrolment.{protocol.name}"
