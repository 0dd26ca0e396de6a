"""The operations of the REST API and their OpenAPI 3.1 document."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from pkigen.lab.appliance.appliance import Role
from pkigen.lab.appliance.members import PROTOCOLS
from pkigen.lab.connections.alerts import Alert, Event, Grade
from pkigen.lab.connections.connection import Cause, ConnectionState

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_OPTIONAL = {"type": ["string", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _schema_of(dataclass: type, **keys: str) -> dict[str, Any]:
    types = {
        "str": _TEXT,
        "int": {"type": "integer"},
        "tuple[str, ...]": _TEXTS,
        "Grade": {"enum": [*_GRADES]},
    }
    return _object(
        **{keys.get(field.name, field.name): types[str(field.type)] for field in fields(dataclass)}
    )


_GRADES = get_args(Grade)
_CONNECTION = _object(
    **{"id": _TEXT, "from": _TEXT, "to": _TEXT, "kind": _TEXT},
    state={"enum": [str(state) for state in ConnectionState]},
    summary=_TEXT,
    causes=_list(_schema_of(Cause, detail="found")),
    path=_TEXTS,
    at=_OPTIONAL,
    queued={"type": "integer"},
    sent={"type": "integer"},
    lost={"type": "integer"},
)
_SWITCHES = {"type": "object", "additionalProperties": _FLAG}
_SCHEMAS = {
    "Connections": _object(connections=_list(_CONNECTION)),
    "Certificate": _object(
        name=_OPTIONAL,
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
    "Enrollment": _object(
        enrollment={
            **_object(
                template=_TEXT,
                protocol={"enum": [*PROTOCOLS]},
                url=_TEXT,
                enrolled=_FLAG,
                renew_at=_OPTIONAL,
                problem=_OPTIONAL,
                next_attempt=_OPTIONAL,
            ),
            "type": ["object", "null"],
        }
    ),
    "Validation": _object(mandatory=_FLAG),
    "Switches": _object(switches=_SWITCHES),
    "Alert": _schema_of(Alert),
    "Alerts": _object(alerts=_list(_schema_of(Alert))),
    "Events": _object(events=_list(_schema_of(Event))),
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
_VALIDATION = {**_object(mandatory=_FLAG), "additionalProperties": False}
_NEW_SWITCHES = {**_object(switches=_SWITCHES), "additionalProperties": False}
_NEW_ALERT = {
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
_ENROLL = "Request a certificate from the enrollment server, and install it"
_VALIDATE = "Make certificate validation mandatory, or switch it off"
# By the media type of the request body, "" for none.
_POSSIBLE = {
    "": ("401",),
    _JSON: ("400", "401", "413", "422", "503"),
    _FORM: ("400", "401", "413", "415", "422", "503"),
}


def _response(schema: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {_JSON: {"schema": reference}}}


def _operation(
    name: str,
    summary: str,
    schema: str,
    body: dict[str, Any] | None = None,
    media_type: str = "",
    errors: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Describe an operation; ``schema`` names the one of its response, ``body`` is that of its request.

    ``errors`` are status codes besides those of the media type.
    """
    codes = (*_POSSIBLE[media_type], *errors)
    described = {code: _response("Error", _ERRORS[code]) for code in codes}
    responses = {"200": _response(schema, "Success."), **described}
    request = {"required": True, "content": {media_type: {"schema": body}}}
    operation = {"operationId": name, "summary": summary, "responses": responses}
    return {**operation, "requestBody": request} if body else operation


OPERATIONS = {
    "connections": {"GET": _operation("connections", "Return the state of the connections", "Connections")},
    "connections/check": {
        "POST": _operation("check", "Check all connections now and return their state", "Connections")
    },
    "certificate": {
        "GET": _operation("certificate", "Return the certificate in use", "Certificate"),
        "POST": _operation("upload", "Upload a certificate", "Judged", _UPLOAD, _FORM),
    },
    "enrollment": {
        "GET": _operation("enrollment", "Return how the appliance requests certificates", "Enrollment"),
        "POST": _operation("enroll", _ENROLL, "Judged", errors=("422", "503")),
    },
    "validation": {
        "GET": _operation("validation", "Return whether certificate validation is mandatory", "Validation"),
        "PUT": _operation("validate", _VALIDATE, "Validation", _VALIDATION, _JSON),
    },
    "switches": {
        "GET": _operation("switches", "Return the switches of the requirement sets", "Switches"),
        "PUT": _operation("switch", "Set switches, for the next upload", "Switches", _NEW_SWITCHES, _JSON),
    },
    "alerts": {
        "GET": _operation("alerts", "Return the alerts, newest first", "Alerts"),
        "POST": _operation("raise", "Raise an alert", "Alert", _NEW_ALERT, _JSON),
    },
    "events": {"GET": _operation("events", "Return the event log, newest first", "Events")},
}
"""The operations by path and method; ``rest.py`` has a handler for each operation ID."""


def document(prefix: str, role: Role, url: str) -> dict[str, Any]:
    """Return the description of one appliance's API (OpenAPI 3.1)."""
    token = {"type": "apiKey", "in": "header", "name": "Authorization"}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Simulated {role}", "version": "1"},
        "servers": [{"url": f"{url}{prefix}"}],
        "security": [{"token": []}],
        "paths": {f"/{path}": {m.lower(): o for m, o in by.items()} for path, by in OPERATIONS.items()},
        "components": {"securitySchemes": {"token": token}, "schemas": _SCHEMAS},
    }
