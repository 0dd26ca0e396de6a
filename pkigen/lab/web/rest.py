"""The REST API of an appliance: JSON responses, the token in the header ``Authorization``."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pkigen.asn1 import names
from pkigen.errors import InputError, PkigenError, visible
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.appliance.upload import UploadResult
from pkigen.lab.connections.alerts import MAX_BATCH_BYTES, format_time, parse_alert, parse_alerts
from pkigen.lab.lab import Lab, connection_as_json
from pkigen.lab.web.fields import UPLOAD, parse_upload, read_fields
from pkigen.lab.web.openapi import OPERATIONS, document
from pkigen.serve.http.json_body import read_json_object

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LARGEST_BODY = 64 * 1024
_MOST_SHOWN = 200

Handler = Callable[[Request], Awaitable[Any]]


def prefix_of(appliance: Appliance) -> str:
    """Return the path prefix of an appliance's API."""
    return "/api/external" if appliance.role is Role.SENSOR else "/external"


class Rest:
    """The resources of one appliance."""

    def __init__(self, lab: Lab, appliance: Appliance) -> None:
        self._lab = lab
        self._appliance = appliance

    def routes(self) -> list[Route]:
        """Return the routes."""
        prefix = prefix_of(self._appliance)
        by_path: dict[str, dict[str, Handler]] = {
            path: {method: getattr(self, f"_{one['operationId']}") for method, one in operations.items()}
            for path, operations in OPERATIONS.items()
        }
        authorize = self._authorize
        return [
            Route(f"{prefix}/openapi.json", _Resource({"GET": self._openapi})),
            *(
                Route(f"{prefix}/{path}", _Resource(handlers, authorize))
                for path, handlers in by_path.items()
            ),
            Route("/link/alerts", _Resource({"POST": self._linked}, self._authorize_link)),
            Route(f"{prefix}/{{path:path}}", _Resource({}, authorize, self._nowhere())),
        ]

    def _nowhere(self) -> str:
        return f"This resource does not exist; see {prefix_of(self._appliance)}/openapi.json."

    def _authorize(self, request: Request) -> None:
        if not self._appliance.accepts(request.headers.get("authorization", "")):
            message = (
                "The header 'Authorization: TOKEN' is missing, or the token is not valid for this appliance."
            )
            raise HTTPException(401, message, {"WWW-Authenticate": "Token"})

    def _authorize_link(self, request: Request) -> None:
        secret = request.headers.get("authorization", "").encode("utf-8")
        if not secrets.compare_digest(secret, self._lab.secret.encode()):
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

    async def _enrollment(self, _request: Request) -> Any:
        enrolment = self._lab.enrolments.of(self._appliance)
        return {"enrollment": None if enrolment is None else enrolment.as_json()}

    async def _enroll(self, _request: Request) -> Any:
        return upload_result_as_json(await run_in_threadpool(self._lab.enroll, self._appliance.name))

    async def _validation(self, _request: Request) -> Any:
        return {"mandatory": self._appliance.mandatory}

    async def _validate(self, request: Request) -> Any:
        body = await _json(request)
        if set(body) != {"mandatory"} or not isinstance(body["mandatory"], bool):
            raise HTTPException(422, 'Send {"mandatory": true} or {"mandatory": false}.')
        self._lab.set_validation(self._appliance.name, mandatory=body["mandatory"])
        return await self._validation(request)

    async def _switches(self, _request: Request) -> Any:
        return {"switches": self._lab.switches_of(self._appliance)}

    async def _switch(self, request: Request) -> Any:
        values = (await _json(request)).get("switches")
        if not isinstance(values, dict) or not all(isinstance(on, bool) for on in values.values()):
            raise HTTPException(422, 'Send {"switches": {"NAME": true}}, with true or false for each switch.')
        known = self._lab.switches_of(self._appliance)
        if unknown := sorted(values.keys() - known.keys()):
            names_known = ", ".join(known) or "none"
            words = f"Unknown switch '{visible(unknown[0])[:60]}'; the switches are: {names_known}."
            raise HTTPException(422, words)
        for name, on in values.items():
            self._lab.set_switch(self._appliance.name, name, on=on)
        return await self._switches(request)

    async def _alerts(self, _request: Request) -> Any:
        alerts = list(self._appliance.alerts)[-_MOST_SHOWN:]
        return {"alerts": [alert.as_json() for alert in reversed(alerts)]}

    async def _raise(self, request: Request) -> Any:
        body = await _json(request)
        if unknown := body.keys() - {"title", "severity", "message"}:
            key = visible(min(unknown))[:60]
            raise HTTPException(422, f"Unknown key '{key}'; the keys are title, severity and message.")
        try:
            new = parse_alert(body)
        except ValueError as error:
            raise HTTPException(422, f"{error}.") from error
        name = self._appliance.name
        alert = self._lab.raise_alert(name, new.title, new.severity, new.message)
        return alert.as_json()

    async def _events(self, _request: Request) -> Any:
        return {"events": [asdict(event) for event in list(self._appliance.events)[::-1][:_MOST_SHOWN]]}

    async def _linked(self, request: Request) -> Any:
        """Receive the alerts of another appliance."""
        body = await _json(request, MAX_BATCH_BYTES)
        try:
            alerts = parse_alerts(body)
        except ValueError as error:
            raise HTTPException(422, f"{error}.") from error
        return {"taken": self._lab.take_alerts(self._appliance, alerts)}


class _Resource:
    """The ASGI application of one resource, with JSON responses for every method.

    ``authorize`` raises HTTPException if a request is not allowed (default: all are). ``nowhere`` is the
    message of a 404 response, if the resource does not exist.
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
        """Process one request."""
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
            return JSONResponse(await handler(request), headers=_NO_STORE)
        except HTTPException as error:
            return _error(error.status_code, error.detail, error.headers)
        except InputError as error:
            return _error(422, str(error))
        except PkigenError as error:
            return _error(503, str(error))


def upload_result_as_json(result: UploadResult) -> dict[str, Any]:
    """Return the result of an upload without the key."""
    return {
        "accepted": result.accepted,
        "messages": [
            {"message": one.text, "found": list(one.details), "advice": one.advice} for one in result.messages
        ],
        "unsupported": list(result.unsupported),
        "notes": list(result.notes),
    }


async def _json(request: Request, limit: int = _LARGEST_BODY) -> dict[str, Any]:
    try:
        return await read_json_object(request, limit)
    except HTTPException as error:
        sentence = f"{error.detail[0].upper()}{error.detail[1:]}."
        raise HTTPException(error.status_code, sentence) from error


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, {**_NO_STORE, **(headers or {})})
