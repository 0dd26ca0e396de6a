"""The JSON Schema of a requirement set, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pkigen.documents.json_schema import DEFINITIONS, relaxed
from pkigen.requirements.demands import KINDS
from pkigen.requirements.document import RequirementSet


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema (draft 2020-12); a demand is a mapping of one kind to its parameters."""
    models: tuple[type[BaseModel], ...] = (RequirementSet, *KINDS.values())
    references, schema = models_json_schema(
        [(model, "validation") for model in models], ref_template=DEFINITIONS
    )
    definitions = schema["$defs"]
    kinds = [_of_kind(kind, references[KINDS[kind], "validation"]) for kind in KINDS]
    definitions["Demand"] = {
        "description": "the condition: a mapping of its kind to its parameters",
        "oneOf": kinds,
    }
    top = definitions.pop("RequirementSet")
    schema_body: dict[str, Any] = relaxed({**top, "$defs": definitions})
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pkigen requirement set"}
    return {**schema_body, **title}


def _of_kind(kind: str, reference: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"type": "null"}
    return {
        "type": "object",
        "properties": {kind: {"anyOf": [reference, empty]}},
        "required": [kind],
        "additionalProperties": False,
    }
