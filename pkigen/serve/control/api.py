"""The control API: sets and lists faults of a running server, over HTTP on the loopback address.

Users who can read the state directory of the environment can use it, because it contains the token. Pages in
a browser cannot: they have no token, and a DNS name that resolves here has the wrong Host (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.errors import InputError, PkigenError
from pkigen.files import write_private_file
from pkigen.serve.control import request_log
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.rules import Rule
from pkigen.serve.http.json_body import read_json_object
from pkigen.serve.http.server import Listener, background, listen

HOST = "127.0.0.1"
FILE = ".pkigen/control.json"
"""File with the URL and the token, relative to the environment."""

_LARGEST_BODY = 16 * 1024
_LONGEST_WAIT = 30.0
_MOST_WAITING = 32
_LOOPBACK = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NUMBER = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@contextmanager
def controlled(
    folder: Path,
    live: RuntimeFaults,
    port: int,
    tell: Callable[[str], None],
    routes: Sequence[Route] = (),
) -> Iterator[Listener]:
    """Serve the control API on a loopback port for the duration of the block, with additional ``routes``.

    FILE contains its URL and token, and only the user can read it; ``tell`` receives the URL. Raises
    EnvironmentFailure if it cannot listen or write the file.
    """
    token = secrets.token_urlsafe(32)
    with listen(HOST, port, option="--control-port") as listener:
        data = json.dumps({"url": listener.url, "token": token}) + "\n"
        with (
            background(control(live, token, routes), listener),
            announced(folder / FILE, data.encode("ascii")),
        ):
            tell(f"Control API at {listener.url}: URL and token are in {folder / FILE}")
            yield listener


@contextmanager
def announced(path: Path, data: bytes) -> Iterator[None]:
    """Write a file that only the user can read, and delete it afterwards, unless it was replaced."""
    write_private_file(path, data)
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_bytes() == data:
                path.unlink()


def control(live: RuntimeFaults, token: str, routes: Sequence[Route] = ()) -> ASGIApp:
    """Return the application; all responses are JSON. ``routes`` are those of other servers."""
    api = _Api(live)
    app = Starlette(
        routes=[
            Route("/faults", api.faults, methods=["GET"]),
            Route("/faults", api.put, methods=["PUT"]),
            Route("/faults", api.delete, methods=["DELETE"]),
            Route("/refresh", api.refresh, methods=["POST"]),
            Route("/requests", LogResource(live.journal).requests, methods=["GET"]),
            *routes,
        ],
        exception_handlers={HTTPException: _refused, InputError: _wrong, PkigenError: _failed},
    )
    app.router.redirect_slashes = False
    return Guarded(app, token)


class Guarded:
    """Middleware that requires the bearer token (in ``file``) and a loopback Host header."""

    def __init__(self, app: ASGIApp, token: str, file: str = FILE) -> None:
        self._app = app
        self._file = file
        self._expected = b"Bearer " + token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
            words = "the Host header must be 127.0.0.1 or localhost"
            await _error(421, words)(scope, receive, send)
        elif not secrets.compare_digest(b"\0".join(credentials), self._expected):
            words = (
                f"the header Authorization: Bearer TOKEN is missing or wrong; the token is in {self._file}"
            )
            await _error(401, words, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Api:
    """The resources of the API."""

    def __init__(self, live: RuntimeFaults) -> None:
        self._live = live

    async def faults(self, _request: Request) -> Response:
        """Return the current faults."""
        rules = await run_in_threadpool(self._live.all)
        return json_response({"faults": [_rule_as_json(rule) for rule in rules]})

    async def put(self, request: Request) -> Response:
        """Add or replace a fault."""
        body = await read_body(request, {"of", "url", "fault"})
        if "fault" not in body:
            raise InputError("'fault' is missing; set it to a fault ID, or to an ID with parameters")
        of, url = text_of(body, "of"), text_of(body, "url")
        rule = await run_in_threadpool(self._live.put, body["fault"], of=of, url=url)
        return json_response(_rule_as_json(rule))

    async def delete(self, request: Request) -> Response:
        """Remove the faults of an authority, at a URL, or all; faults of the profile stay."""
        body = await read_body(request, {"of", "url"})
        of, url = text_of(body, "of"), text_of(body, "url")
        gone = await run_in_threadpool(self._live.clear, of=of, url=url)
        return json_response({"cleared": [_rule_as_json(rule) for rule in gone]})

    async def refresh(self, request: Request) -> Response:
        """Publish new CRLs."""
        body = await read_body(request, {"of"})
        done = await run_in_threadpool(self._live.refresh, text_of(body, "of"))
        return json_response({"crls": [{"of": name, "number": number} for name, number in done]})


class LogResource:
    """The resource of a request log: the requests after a number, as soon as there is one."""

    def __init__(self, journal: request_log.RequestLog) -> None:
        self._journal = journal
        self._waiting = asyncio.Semaphore(_MOST_WAITING)

    async def requests(self, request: Request) -> Response:
        """Return the requests after a number, and wait for the first one if necessary."""
        query = request.query_params
        if unknown := query.keys() - {"since", "wait"}:
            raise InputError(f"unknown parameter '{min(unknown)[:80]}'; use 'since' and 'wait'")
        since, wait = query.get("since", "0"), query.get("wait", "0")
        if not _NUMBER.fullmatch(since):
            raise InputError("'since' must be the number of a request, such as 17")
        if not _SECONDS.fullmatch(wait):
            raise InputError(f"'wait' must be seconds, such as 2.5; the maximum is {_LONGEST_WAIT:g}")
        if self._waiting.locked():
            return _error(503, f"{_MOST_WAITING} clients are already waiting")
        async with self._waiting:
            requests = await self._journal.come(int(since), min(float(wait), _LONGEST_WAIT))
        last = requests[-1].number if requests else min(int(since), self._journal.last)
        return json_response({"requests": [request_as_json(one) for one in requests], "last": last})


def _rule_as_json(rule: Rule) -> dict[str, Any]:
    fault = rule.fault
    return {
        "of": fault.of or None,
        "url": fault.url or None,
        "fault": fault.request.type.id,
        "arguments": dict(fault.request.arguments),
        "says": fault.request.says,
        "paths": [path or "/" for path in rule.paths],
        "source": fault.source,
    }


def request_as_json(one: request_log.Request) -> dict[str, Any]:
    return {
        "number": one.number,
        "time": one.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": one.method,
        "path": one.path,
        "status": one.status,
        "fault": one.fault,
    }


async def read_body(request: Request, known: set[str]) -> Mapping[str, Any]:
    """Read a JSON object, empty for an empty body; InputError for an unknown key."""
    data = await read_json_object(request, _LARGEST_BODY, optional=True)
    if unknown := data.keys() - known:
        raise InputError(f"unknown key '{min(unknown)[:80]}'; the keys are {', '.join(sorted(known))}")
    return data


def text_of(body: Mapping[str, Any], key: str) -> str:
    """Return the string at a key, or "" if it is missing or null; an empty string is an error."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not value:
        raise InputError(f"'{key}' must be a non-empty string")
    return value


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # In ASCII, because strings from clients need not be valid Unicode.
    data = json.dumps(value).encode("ascii") + b"\n"
    sent = {**_UNKEPT, **(headers or {})}
    return Response(data, status, sent, media_type="application/json")


def _error(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return json_response({"error": words}, status, headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    not_found = "the resources are /faults, /refresh and /requests"
    messages = {404: not_found, 405: f"{request.method} is not allowed here"}
    return _error(error.status_code, messages.get(error.status_code, error.detail), error.headers)


async def _wrong(_request: Request, error: Exception) -> Response:
    return _error(422, str(error))


async def _failed(_request: Request, error: Exception) -> Response:
    return _error(503, str(error))
