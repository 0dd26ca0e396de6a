"""The resources of the control API for the enrollment server: its faults and its requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pkigen.enrolment.dns import TxtRecords
from pkigen.enrolment.faults import ActiveFault, EnrolmentFaults
from pkigen.errors import InputError
from pkigen.serve.control.api import LogResource, json_response, read_body, text_of

_NAME = re.compile(r"[A-Za-z0-9_*.-]{1,253}")


def control_routes(faults: EnrolmentFaults, records: TxtRecords) -> list[Route]:
    """Return the routes below ``/enrolment`` and ``/dns-txt`` for the control API."""

    async def listed(_request: Request) -> Response:
        return json_response({"faults": [_as_json(one) for one in faults.all()]})

    async def put(request: Request) -> Response:
        body = await read_body(request, {"template", "fault"})
        if "fault" not in body:
            raise InputError("'fault' is missing; set it to a fault ID, or to an ID with parameters")
        active = await run_in_threadpool(faults.put, body["fault"], template=text_of(body, "template"))
        return json_response(_as_json(active))

    async def delete(request: Request) -> Response:
        body = await read_body(request, {"template", "id"})
        gone = faults.clear(id=text_of(body, "id"), template=text_of(body, "template"))
        return json_response({"cleared": [_as_json(one) for one in gone]})

    async def add_record(request: Request) -> Response:
        body = await read_body(request, {"name", "value"})
        name = _dns_name(body)
        await run_in_threadpool(records.add, name, text_of(body, "value"))
        return json_response({"name": name, "values": await run_in_threadpool(records.get, name)})

    async def delete_records(request: Request) -> Response:
        name = _dns_name(await read_body(request, {"name"}))
        await run_in_threadpool(records.clear, name)
        return json_response({"name": name, "values": []})

    return [
        Route("/dns-txt", add_record, methods=["POST"]),
        Route("/dns-txt", delete_records, methods=["DELETE"]),
        Route("/enrolment/faults", listed, methods=["GET"]),
        Route("/enrolment/faults", put, methods=["PUT"]),
        Route("/enrolment/faults", delete, methods=["DELETE"]),
        Route("/enrolment/requests", LogResource(faults.journal).requests, methods=["GET"]),
    ]


def _dns_name(body: Mapping[str, Any]) -> str:
    name = text_of(body, "name").rstrip(".").lower()
    if not _NAME.fullmatch(name):
        raise InputError("'name' must be a DNS name, such as _acme-challenge.device.example")
    return name


def _as_json(active: ActiveFault) -> dict[str, Any]:
    request = active.request
    return {
        "fault": active.id,
        "arguments": dict(request.fault.arguments),
        "says": request.fault.says,
        "template": active.template or None,
        "endpoint": request.endpoint or None,
        "identifier": request.identifier or None,
        "left": active.left,
        "source": active.source,
    }
