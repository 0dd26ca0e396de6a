"""Fault-injection middleware around an application that responds correctly."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pkigen.environment.published.faulty_publisher import FaultyPublisher
from pkigen.errors import PkigenError
from pkigen.revocation.ocsp_request import LARGEST
from pkigen.serve.control.request_log import FAULT
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.faulty_responses import MOVED, collect_response, send_faulty_response
from pkigen.serve.faults.rules import (
    Rule,
    path_below,
    rules_at,
    rules_of_profile,
)
from pkigen.serve.faults.url_map import FaultBehavior, ManifestWatcher, UrlMap

_OCSP = "application/ocsp-response"
_CRL = "application/pkix-crl"
# The fault may be removed before the next request.
_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_OF_A_CACHE = ("ETag", "Last-Modified", "Expires")

_log = logging.getLogger(__name__)


class FaultInjectionMiddleware:
    """Responds with the faults of cases and of the service, and passes other requests to the application.

    Faults of cases take precedence over faults of the service. Of these, the one with the longest matching
    path applies, and run-time faults take precedence over those of the profile.
    """

    def __init__(
        self,
        app: ASGIApp,
        folder: Path,
        watched: ManifestWatcher,
        clock: Callable[[], datetime],
        live: RuntimeFaults | None = None,
    ) -> None:
        self._app = app
        self._folder = folder
        self._watched = watched
        self._live = live
        self._spoiler = FaultyPublisher(folder, watched.manifest, clock)
        self._profile_rules: tuple[UrlMap, tuple[Rule, ...]] = (UrlMap(), ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(f"{MOVED}/"):
            moved = path.removeprefix(MOVED)
            await self._app(
                {**scope, "path": moved, "raw_path": moved.encode("latin-1", "replace")}, receive, send
            )
            return
        addresses = self._watched.now
        place = strip_ocsp_request(path)
        wrong, fault = addresses.wrong.get(place), addresses.cases.get(place)
        if fault is not None:
            scope[FAULT] = fault or None
            if wrong is None:
                await self._app(scope, receive, send)
            else:
                await send_faulty_response(wrong, self._app, self._folder, scope, receive, send)
            return
        live = self._live.rules if self._live else ()
        if live or addresses.serving:
            rules = (*live, *await self._of_profile(addresses))
            await self._by_rule(rules, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _of_profile(self, addresses: UrlMap) -> tuple[Rule, ...]:
        """Return the rules of the manifest; log and skip those that a build has made impossible."""
        url_map, rules = self._profile_rules
        if url_map is not addresses:
            rules = await run_in_threadpool(rules_of_profile, self._folder, self._watched.manifest())
            self._profile_rules = addresses, rules
        return rules

    async def _by_rule(self, rules: Iterable[Rule], scope: Scope, receive: Receive, send: Send) -> None:
        """Respond according to the first rule that applies to the request."""
        path = path_below(self._watched.manifest(), scope["path"]).rstrip("/")
        fitting = rules_at(rules, path)
        query = b""
        if any(rule.effect.target == "ocsp" for rule in fitting):
            query, receive = await _request(scope, receive)
        for rule in fitting:
            if await self._is_about(rule, query):
                scope[FAULT] = rule.fault.request.type.id
                await self._answer(rule, query, scope, receive, _unkept(send))
                return
        await self._app(scope, receive, send)

    async def _is_about(self, rule: Rule, query: bytes) -> bool:
        if rule.effect.target != "ocsp" or not rule.authority:
            return True
        return await run_in_threadpool(self._spoiler.covers_request, rule.authority, query)

    async def _answer(self, rule: Rule, query: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        effect = rule.effect
        if effect.how:
            wrong = FaultBehavior(effect.how, effect.argument)
            await send_faulty_response(wrong, self._app, self._folder, scope, receive, send)
            return
        start, right = await collect_response(self._app, scope, receive)
        if start["status"] != 200:
            await _give(start, right, send)
            return
        try:
            if effect.ocsp is not None:
                owners = [rule.authority] if rule.authority else _authorities(self._watched.manifest())
                body = await run_in_threadpool(self._spoiler.answer, owners, effect.ocsp, query, right)
                answer = Response(body, media_type=_OCSP)
            else:
                assert effect.crl is not None
                crls = await run_in_threadpool(self._spoiler.crls, rule.authority, effect.crl)
                # A delta CRL is not changed.
                answer = Response(self._at(scope["path"], crls, right), media_type=_CRL)
        except (PkigenError, OSError, ValueError) as error:
            _log.warning("%s cannot be made: %s", rule.fault.request.type.id, error)
            answer = PlainTextResponse("500 the fault cannot be made\n", 500)
        await answer(scope, receive, send)

    def _at(self, path: str, crls: Mapping[str, bytes], right: bytes) -> bytes:
        """Return the faulty CRL at a path, or the correct one if there is none."""
        manifest = self._watched.manifest()
        requested, base = path_below(manifest, path), str(manifest["base_url"])
        return next((crl for url, crl in crls.items() if url.removeprefix(base) == requested), right)


@dataclass(slots=True)
class _Replayed:
    """Replays a request body that has already been read, and then continues with ``receive``."""

    body: bytes
    receive: Receive
    given: bool = False

    async def __call__(self) -> Message:
        if self.given:
            return await self.receive()
        self.given = True
        return {"type": "http.request", "body": self.body, "more_body": False}


async def _request(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """Return the OCSP request from the body or the URL (RFC 6960, A.1); empty if there is none."""
    if scope["method"] != "POST":
        written = scope["raw_path"].decode("latin-1").partition("/ocsp/")[2]
        try:
            return base64.b64decode(unquote(written), validate=True), receive
        except (binascii.Error, ValueError):
            return b"", receive
    body, more = bytearray(), True
    # The application does not read more than this, either.
    while more and len(body) <= LARGEST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body), _Replayed(bytes(body), receive)


def strip_ocsp_request(path: str) -> str:
    """Return an OCSP URL path without the request that GET appends (RFC 6960, A.1)."""
    if not path.count("/ocsp/"):
        return path
    head, _, rest = path.partition("/ocsp/")
    return f"{head}/ocsp/{rest.partition('/')[0]}"


async def _give(start: Message, body: bytes, send: Send) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _unkept(send: Send) -> Send:
    """Wrap ``send`` so that no cache stores the response."""

    async def unkept(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            for name in _OF_A_CACHE:
                del headers[name]
            headers.update(_UNKEPT)
            message = {**message, "headers": headers.raw}
        await send(message)

    return unkept


def _authorities(manifest: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in manifest["authorities"] if "fault" not in one]
