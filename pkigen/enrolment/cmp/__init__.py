"""CMP (RFC 9810, RFC 9483) over HTTP (RFC 9811), for the templates of an environment."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pkigen.enrolment.cmp.responder import Responder
from pkigen.enrolment.decode import Undecodable
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults
from pkigen.environment.enrol import Enroller
from pkigen.profile.enrolment import Template

__all__ = ["routes"]

_MEDIA_TYPE = "application/pkixcmp"


def routes(template: Template, enroller: Enroller, faults: EnrolmentFaults) -> list[Route]:
    """Return the routes of a template."""
    responder = Responder(template, enroller)

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
            raise HTTPException(415, f"the Content-Type must be {_MEDIA_TYPE}")
        try:
            of_request = RequestFaults(faults, request.scope, template.name)
            response = await run_in_threadpool(responder.respond, await request.body(), of_request)
        except Undecodable as error:
            raise HTTPException(400, f"the body is not a CMP message: {error}") from error
        return Response(response, media_type=_MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    paths = (f"/cmp/{template.name}", f"/.well-known/cmp/p/{template.name}")
    return [Route(path, answer, methods=["POST"]) for path in paths]
