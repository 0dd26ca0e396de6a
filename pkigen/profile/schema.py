"""The JSON Schema of a profile, for editors: covers each body, but not references between bodies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pkigen.documents.json_schema import DEFINITIONS, relaxed
from pkigen.profile.enrolment import NOT_IN_TEMPLATES, TemplateSettings
from pkigen.profile.fleets import NOT_IN_FLEETS, FleetSettings
from pkigen.profile.specifications import AuthoritySpec, CertificateSpec
from pkigen.profile.top_level import Head


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of draft 2020-12 that also accepts numbers and booleans where YAML reads them."""
    models: tuple[type[BaseModel], ...] = (
        Head,
        AuthoritySpec,
        CertificateSpec,
        TemplateSettings,
        FleetSettings,
    )
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template=DEFINITIONS)
    definitions = schema["$defs"]
    head = definitions.pop("Head")
    authority, certificate = definitions["AuthoritySpec"], definitions["CertificateSpec"]
    for body in (authority, certificate):
        body["properties"].pop("name", None)
        body["properties"]["like"] = {"type": "string", "description": "another body to copy from"}
        body["properties"]["each"] = {"type": "string", "description": "a CSV file: one for each row"}
        body["required"] = []
    definitions["Template"] = _derived(certificate, definitions.pop("TemplateSettings"), NOT_IN_TEMPLATES)
    definitions["Fleet"] = _derived(certificate, definitions.pop("FleetSettings"), NOT_IN_FLEETS)
    kinds = certificate["properties"]["key"]
    definitions["Fleet"]["properties"]["key"] = {
        "anyOf": [kinds, {"$ref": DEFINITIONS.format(model="KeyPool")}]
    }
    issuers = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    authority["properties"]["issuer"] = issuers
    known = {**authority["properties"], **certificate["properties"]}
    head["properties"] |= {
        "extends": {"type": "string", "description": "a profile that this one builds on"},
        "defaults": {"type": "object", "properties": known, "additionalProperties": False},
        "authorities": _named("AuthoritySpec"),
        "certificates": _named("CertificateSpec"),
        "enrolment": _named("Template"),
        "fleets": _named("Fleet"),
    }
    head["required"] = []
    schema = relaxed({**head, "$defs": definitions})
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pkigen profile"}
    return {**schema, **title}


def _derived(
    certificate: dict[str, Any], settings: dict[str, Any], excluded: tuple[str, ...]
) -> dict[str, Any]:
    """Return the schema of a template or a fleet: fields of a certificate, and its settings."""
    fields = {key: node for key, node in certificate["properties"].items() if key not in excluded}
    return {
        "type": "object",
        "properties": {**fields, **settings["properties"]},
        "additionalProperties": False,
    }


def _named(model: str) -> dict[str, Any]:
    body = {"anyOf": [{"$ref": DEFINITIONS.format(model=model)}, {"type": "null"}]}
    return {"type": "object", "additionalProperties": body}
