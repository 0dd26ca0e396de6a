"""Reads the JSON object in the body of a request, within a limit."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from pkigen.strict_json import parse_json


async def read_json_object(request: Request, limit: int, *, optional: bool = False) -> dict[str, Any]:
    """Return the JSON object in a request's body; an empty one for an empty body if ``optional`` is set.

    Raises HTTPException: 413 for a body of more than ``limit`` bytes, 400 for any other error.
    """
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > limit:
                raise HTTPException(413, f"the body is larger than {limit // 1024} KiB")
    except ClientDisconnect as error:
        raise HTTPException(400, "the request ended before its body was complete") from error
    if optional and not body.strip():
        return {}
    try:
        value = parse_json(bytes(body))
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return value
