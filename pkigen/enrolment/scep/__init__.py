"""SCEP, the Simple Certificate Enrolment Protocol (RFC 8894), for the templates of an environment."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pkigen.enrolment.decode import Undecodable
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults
from pkigen.enrolment.scep.cms import BadSignature
from pkigen.enrolment.scep.faulty_responses import capabilities
from pkigen.enrolment.scep.responder import Responder
from pkigen.environment.enrol import Enroller
from pkigen.formats.pkcs7 import pkcs7_file
from pkigen.profile.enrolment import Template

__all__ = ["routes"]

_CA, _CA_AND_RA = "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert"
_PKI_MESSAGE = "application/x-pki-message"
_HEADERS = {"Cache-Control": "no-store"}


def routes(template: Template, enroller: Enroller, faults: EnrolmentFaults) -> list[Route]:
    """Return the routes of a template; many clients append ``/pkiclient.exe`` to the URL."""
    responder = Responder(template, enroller)

    async def answer(request: Request) -> Response:
        operation = request.query_params.get("operation", "")
        of_request = RequestFaults(faults, request.scope, template.name, operation)
        if operation == "GetCACaps":
            return capabilities(of_request, _HEADERS)
        if operation == "GetCACert":
            return _ca_certificates(await run_in_threadpool(responder.ca_certificates, of_request))
        if operation != "PKIOperation":
            raise HTTPException(400, "the operation must be GetCACaps, GetCACert or PKIOperation")
        message = await request.body() if request.method == "POST" else _message(request)
        try:
            response = await run_in_threadpool(responder.respond, message, of_request)
        except (Undecodable, BadSignature) as error:
            raise HTTPException(400, f"the pkiMessage: {error}") from error
        return Response(response, media_type=_PKI_MESSAGE, headers=_HEADERS)

    path = f"/scep/{template.name}"
    paths = (path, f"{path}/pkiclient.exe")
    return [Route(one, answer, methods=["GET", "POST"]) for one in paths]


def _ca_certificates(certificates: tuple[bytes, ...]) -> Response:
    """Return the certificate of a root CA, or several certificates in PKCS#7 (RFC 8894, 4.2.1)."""
    if len(certificates) == 1:
        return Response(certificates[0], media_type=_CA, headers=_HEADERS)
    return Response(pkcs7_file(certificates), media_type=_CA_AND_RA, headers=_HEADERS)


def _message(request: Request) -> bytes:
    """Return the message in the query of a GET; clients do not always escape the plus sign."""
    text = request.query_params.get("message", "")
    try:
        return base64.b64decode("".join(unquote(text).replace(" ", "+").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, "the message is not base64") from error
