"""The REST API of an appliance: the header ``Authorization`` has its token, answers are JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pkigen.asn1 import names
from pkigen.errors import InputError, PkigenError, visible
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.appliance.upload import UploadResult
from pkigen.lab.connections.alerts import format_time, parse_alert
from pkigen.lab.lab import Lab, connection_as_json
from pkigen.lab.web.fields import (
    CUT_OFF,
    UPLOAD,
    parse_upload,
    read_fields,
)
from pkigen.lab.web.openapi import document

_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LARGEST_BODY = 64 * 1024
_LARGEST_LINKED = 512 * 1024
_MOST_SHOWN = 200

Handler = Callable[[Request], Awaitable[Any]]


def prefix_of(appliance: Appliance) -> str:
    """Where the API of an appliance begins."""
    return "/api/external" if appliance.role is Role.SENSOR else "/external"


class Rest:
    """The resources of one appliance."""

    def __init__(self, lab: Lab, appliance: Appliance) -> None:
        self._lab = lab
        self._appliance = appliance

    def routes(self) -> list[Route]:
        """Each with its method."""
        prefix = prefix_of(self._appliance)
        resources: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "connections", self._connections),
            ("POST", "connections/check", self._check),
            ("GET", "certificate", self._certificate),
            ("POST", "certificate", self._upload),
            ("GET", "validation", self._validation),
            ("PUT", "validation", self._switch),
            ("GET", "alerts", self._alerts),
            ("POST", "alerts", self._raise),
            ("GET", "events", self._events),
        )
        by_path = dict[str, dict[str, Handler]]()
        for method, path, handler in resources:
            by_path.setdefault(path, {})[method] = handler
        authorize = self._authorize
        return [
            Route(f"{prefix}/openapi.json", _Resource({"GET": self._openapi})),
            *(Route(f"{prefix}/{path}", _Resource(held, authorize)) for path, held in by_path.items()),
            Route("/link/alerts", _Resource({"POST": self._linked}, self._authorize_link)),
            Route(f"{prefix}/{{path:path}}", _Resource({}, authorize, self._nowhere())),
        ]

    def _nowhere(self) -> str:
        return f"This resource does not exist; see {prefix_of(self._appliance)}/openapi.json."

    def _authorize(self, request: Request) -> None:
        if not self._appliance.accepts(request.headers.get("authorization", "")):
            words = (
                "The header 'Authorization: TOKEN' is missing, or the token is not valid for this appliance."
            )
            raise HTTPException(401, words, {"WWW-Authenticate": "Token"})

    def _authorize_link(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode("utf-8")
        if not secrets.compare_digest(given, self._lab.secret.encode()):
            raise HTTPException(
                401, "Only the appliances of the lab can use this resource.", {"WWW-Authenticate": "Token"}
            )

    async def _openapi(self, _request: Request) -> Any:
        return document(prefix_of(self._appliance), self._appliance.role, self._appliance.url)

    async def _connections(self, _request: Request) -> Any:
        return {"connections": [connection_as_json(one) for one in self._lab.connections_of(self._appliance)]}

    async def _check(self, request: Request) -> Any:
        await run_in_threadpool(self._lab.scheduler.now, self._lab.connections_of(self._appliance))
        return await self._connections(request)

    async def _certificate(self, _request: Request) -> Any:
        appliance = self._appliance
        leaf = appliance.credential.leaf
        return {
            "name": appliance.title or None,
            "locally_self_signed": appliance.local,
            "subject": names.text(leaf.subject),
            "issuer": names.text(leaf.issuer),
            "not_before": format_time(leaf.not_before),
            "not_after": format_time(leaf.not_after),
            "sha256": leaf.fingerprint().hex(),
        }

    async def _upload(self, request: Request) -> Any:
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise HTTPException(415, "Send the files as multipart/form-data.")
        upload = parse_upload(await read_fields(request, UPLOAD), box=False)
        result = await run_in_threadpool(self._lab.upload, self._appliance.name, upload)
        return upload_result_as_json(result)

    async def _validation(self, _request: Request) -> Any:
        return {"mandatory": self._appliance.mandatory}

    async def _switch(self, request: Request) -> Any:
        asked = await _json(request)
        if set(asked) != {"mandatory"} or not isinstance(asked["mandatory"], bool):
            raise HTTPException(422, 'Send {"mandatory": true} or {"mandatory": false}.')
        self._lab.set_validation(self._appliance.name, mandatory=asked["mandatory"])
        return await self._validation(request)

    async def _alerts(self, _request: Request) -> Any:
        held = list(self._appliance.alerts)[-_MOST_SHOWN:]
        return {"alerts": [alert.as_json() for alert in reversed(held)]}

    async def _raise(self, request: Request) -> Any:
        asked = await _json(request)
        if unknown := asked.keys() - {"title", "severity", "message"}:
            shown = visible(min(unknown))[:60]
            raise HTTPException(422, f"Unknown key '{shown}'; the keys are title, severity and message.")
        try:
            asked_for = parse_alert(asked)
        except ValueError as error:
            raise HTTPException(422, f"{error}.") from error
        name = self._appliance.name
        alert = self._lab.raise_alert(name, asked_for.title, asked_for.severity, asked_for.message)
        return alert.as_json()

    async def _events(self, _request: Request) -> Any:
        return {"events": [asdict(event) for event in list(self._appliance.events)[::-1][:_MOST_SHOWN]]}

    async def _linked(self, request: Request) -> Any:
        """What another appliance sends over a link."""
        asked = await _json(request, _LARGEST_LINKED)
        try:
            alerts = [parse_alert(one) for one in asked.get("alerts", ())]
        except (TypeError, ValueError) as error:
            raise HTTPException(422, f"{error}.") from error
        return {"taken": self._lab.take_alerts(self._appliance, alerts)}


class _Resource:
    """The application of one resource: whatever the method, the answer is JSON.

    ``authorize`` raises HTTPException for a request without the right; without it the resource is open.
    ``nowhere`` is said with 404 where there is nothing at all.
    """

    def __init__(
        self,
        handlers: dict[str, Handler],
        authorize: Callable[[Request], None] = lambda request: None,
        nowhere: str = "",
    ) -> None:
        self._handlers = handlers
        self._authorize = authorize
        self._nowhere = nowhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            self._authorize(request)
            if self._nowhere:
                raise HTTPException(404, self._nowhere)
            handler = self._handlers.get(request.method)
            if handler is None:
                allowed = {"Allow": ", ".join(self._handlers)}
                raise HTTPException(405, f"This resource does not support {request.method}.", allowed)
            return JSONResponse(await handler(request), headers=_UNKEPT)
        except HTTPException as error:
            return _error(error.status_code, error.detail, error.headers)
        except InputError as error:
            return _error(422, str(error))
        except PkigenError as error:
            return _error(503, str(error))


def upload_result_as_json(result: UploadResult) -> dict[str, Any]:
    """What became of an upload; the key is not in it."""
    return {
        "accepted": result.accepted,
        "messages": [
            {"message": one.text, "found": list(one.found), "advice": one.advice} for one in result.messages
        ],
        "unsupported": list(result.unsupported),
        "notes": list(result.notes),
    }


async def _json(request: Request, most: int = _LARGEST_BODY) -> dict[str, Any]:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise HTTPException(413, f"The body is larger than {most // 1024} KiB.")
    except ClientDisconnect as error:
        raise HTTPException(400, CUT_OFF) from error
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not JSON.") from None
    if not isinstance(asked, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return asked


def _error(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": words}, status, {**_UNKEPT, **(headers or {})})
