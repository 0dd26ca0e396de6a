"""Responses of EST with a fault in their encoding, or instead of the result."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from pkigen.enrolment.est.messages import Encoding
from pkigen.enrolment.faults import RequestFaults
from pkigen.faults.registry import Argument

_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n", "cr": b"\r"}


def encoding(faults: RequestFaults) -> Encoding:
    """Return how a response is encoded, with the active faults."""
    transfer_encoding: str | None = "base64"
    if faults.applied("est-transfer-encoding-missing") is not None:
        transfer_encoding = None
    elif (values := faults.applied("est-transfer-encoding")) is not None:
        transfer_encoding = str(values["value"])
    line_end = None
    if (values := faults.applied("est-line-endings")) is not None:
        line_end = _LINE_ENDS[str(values["ending"])]
    content_type = ""
    if (values := faults.applied("est-content-type")) is not None:
        content_type = str(values["value"])
    if faults.applied("est-raw-der") is not None:
        return Encoding("binary", is_base64=False, content_type=content_type)
    return Encoding(transfer_encoding, line_end=line_end, content_type=content_type)


def unavailable(faults: RequestFaults) -> Response | None:
    """Return the response of a fault that postpones the result, if there is one."""
    if (values := faults.applied("est-unavailable")) is not None:
        return Response(status_code=503, headers=_retry_after(values))
    if faults.endpoint in ("cacerts", "csrattrs"):
        return None
    if (values := faults.applied("est-pending")) is not None:
        return Response(status_code=202, headers=_retry_after(values))
    if faults.applied("est-pending-without-time") is not None:
        return Response(status_code=202)
    return None


def _retry_after(values: dict[str, Argument]) -> dict[str, str]:
    after = values["after"]
    assert isinstance(after, timedelta)
    return {"Retry-After": str(int(after.total_seconds()))}
