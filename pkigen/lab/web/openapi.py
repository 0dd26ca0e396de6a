"""The API described for programs (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from pkigen.lab.appliance.appliance import Role

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_ALERT = _object(id=_TEXT, at=_TEXT, source=_TEXT, title=_TEXT, severity={"type": "integer"}, message=_TEXT)
_CAUSE = _object(
    who=_TEXT,
    whom=_TEXT,
    certificate=_TEXT,
    depth={"type": "integer"},
    message=_TEXT,
    found=_TEXT,
    advice=_TEXT,
)
_CONNECTION = _object(
    **{"id": _TEXT, "from": _TEXT, "to": _TEXT, "kind": _TEXT},
    state={"enum": ["not tried yet", "connected", "connected without validation", "halted", "no answer"]},
    summary=_TEXT,
    causes=_list(_CAUSE),
    path=_TEXTS,
    at={"type": ["string", "null"]},
    queued={"type": "integer"},
    sent={"type": "integer"},
    lost={"type": "integer"},
)
_SCHEMAS = {
    "Connections": _object(connections=_list(_CONNECTION)),
    "Certificate": _object(
        name={"type": ["string", "null"]},
        locally_self_signed=_FLAG,
        subject=_TEXT,
        issuer=_TEXT,
        not_before=_TEXT,
        not_after=_TEXT,
        sha256=_TEXT,
    ),
    "Judged": _object(
        accepted=_FLAG,
        messages=_list(_object(message=_TEXT, found=_TEXTS, advice=_TEXT)),
        unsupported=_TEXTS,
        notes=_TEXTS,
    ),
    "Validation": _object(mandatory=_FLAG),
    "Alert": _ALERT,
    "Alerts": _object(alerts=_list(_ALERT)),
    "Events": _object(events=_list(_object(at=_TEXT, grade={"enum": ["good", "notice", "bad"]}, text=_TEXT))),
    "Error": _object(error=_TEXT),
}
_FILE = {"type": "string", "format": "binary"}
_UPLOAD = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "passphrase": {"type": "string", "format": "password"},
        "key": _FILE,
        "certificate": _FILE,
        "chain": _FILE,
        "crl_check": {"enum": ["on", "off"], "default": "on"},
    },
    "required": ["key", "certificate"],
    "additionalProperties": False,
}
_SHORT = {"type": "string", "maxLength": 1000}
_SWITCHED = {**_object(mandatory=_FLAG), "additionalProperties": False}
_RAISED = {
    "type": "object",
    "properties": {
        "title": {**_SHORT, "pattern": r"\S"},
        "severity": {"type": "integer", "minimum": 0, "maximum": 10, "default": 5},
        "message": _SHORT,
    },
    "required": ["title"],
    "additionalProperties": False,
}
_ERRORS = {
    "400": "The body cannot be parsed.",
    "401": "The token is missing or not valid for this appliance.",
    "413": "The body, or a file in it, is too large.",
    "415": "The body has an unsupported media type.",
    "422": "The request is well-formed but not valid.",
    "503": "The machine could not execute the request.",
}
_JSON = "application/json"
_FORM = "multipart/form-data"
# By the media type of what is sent, "" for nothing.
_POSSIBLE = {
    "": ("401",),
    _JSON: ("400", "401", "413", "422", "503"),
    _FORM: ("400", "401", "413", "415", "422", "503"),
}


def _answer(name: str, words: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {"description": words, "content": {_JSON: {"schema": reference}}}


def _operation(
    name: str, summary: str, schema: str, body: dict[str, Any] | None = None, media: str = ""
) -> dict[str, Any]:
    errors = {code: _answer("Error", _ERRORS[code]) for code in _POSSIBLE[media]}
    responses = {"200": _answer(schema, "Success."), **errors}
    found: dict[str, Any] = {"operationId": name, "summary": summary, "responses": responses}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {media: {"schema": body}}}
    return found


def document(prefix: str, role: Role, url: str) -> dict[str, Any]:
    """The description of one appliance's API."""
    paths = {
        "connections": {
            "get": _operation("connections", "Return the state of the connections", "Connections")
        },
        "connections/check": {
            "post": _operation("check", "Check all connections now and return their state", "Connections")
        },
        "certificate": {
            "get": _operation("certificate", "Return the certificate in use", "Certificate"),
            "post": _operation("upload", "Upload a certificate", "Judged", _UPLOAD, _FORM),
        },
        "validation": {
            "get": _operation(
                "validation", "Return whether certificate validation is mandatory", "Validation"
            ),
            "put": _operation(
                "validate",
                "Make certificate validation mandatory, or switch it off",
                "Validation",
                _SWITCHED,
                _JSON,
            ),
        },
        "alerts": {
            "get": _operation("alerts", "Return the alerts, newest first", "Alerts"),
            "post": _operation("raise", "Raise an alert", "Alert", _RAISED, _JSON),
        },
        "events": {"get": _operation("events", "Return the event log, newest first", "Events")},
    }
    token = {"type": "apiKey", "in": "header", "name": "Authorization"}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Simulated {role}", "version": "1"},
        "servers": [{"url": f"{url}{prefix}"}],
        "security": [{"token": []}],
        "paths": {f"/{path}": operations for path, operations in paths.items()},
        "components": {"securitySchemes": {"token": token}, "schemas": _SCHEMAS},
    }
