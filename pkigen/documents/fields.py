"""Field types of the document's models: parsed strings, and ``none``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from pkigen.documents import limits

Schema = JsonSchemaValue


class Omit(Enum):
    """The string ``none`` as the value of an extension: omit the extension."""

    OMIT = "none"


OMIT = Omit.OMIT


class Value(BaseModel):
    """A mapping of the document; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    _short: ClassVar[Schema | None] = None
    """The schema of the short form, if there is one."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        """Return the schema of the mapping, or of its short form."""
        mapping = handler(schema)
        return {"anyOf": [mapping, cls._short]} if cls._short else mapping


@dataclass(frozen=True)
class Parsed:
    """Annotation of a value that a function parses; the message of its ValueError becomes the error.

    ``json_type`` is the type in the JSON Schema.
    """

    parse: Callable[[Any], Any]
    description: str
    json_type: str = "string"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate with ``parse``."""
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        """Return the JSON Schema for editors."""
        return {"type": self.json_type, "description": self.description}

    def _parse(self, value: Any) -> Any:
        if self.json_type == "string" and not isinstance(value, str):
            raise ValueError(f"this must be a text: {self.description}")
        return self.parse(value)


@dataclass(frozen=True)
class OrNone:
    """Annotation of a value that the string ``none`` omits."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Map ``none`` to OMIT; pass every other value to the type, whose errors remain unchanged."""
        inner = handler.generate_schema(_without_omit(source))

        def validate(value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
            return OMIT if value == OMIT.value else handler(value)

        return core_schema.no_info_wrap_validator_function(validate, inner)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        """Return the type's own schema, or the constant ``none``."""
        return {"anyOf": [handler(schema), {"const": OMIT.value}]}


def _without_omit(source: Any) -> Any:
    """Return X for ``X | Omit | None``: None only means an omitted field."""
    (remaining,) = (part for part in source.__args__ if part not in (Omit, type(None)))
    return remaining


class KeyedError(ValueError):
    """An error in the value of one key of a mapping that a single field validates."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def unknown(what: str, text: str, known: tuple[str, ...]) -> str:
    """Return the message for an unknown name."""
    close = close_to(text, known)
    hint = f" (did you mean '{close}'?)" if close else f"; there are {', '.join(known)}"
    return f"no such {what}: '{text}'{hint}"


def close_to(text: str, known: tuple[str, ...]) -> str | None:
    """Return the known name that was probably intended."""
    return next(iter(get_close_matches(text, known[: limits.NAMES_COMPARED], 1)), None)


OID = re.compile(r"(0|1)\.([0-9]|[1-3][0-9])(\.(0|[1-9][0-9]{0,37}))*|2(\.(0|[1-9][0-9]{0,37}))+")


def parse_oid(text: str) -> str:
    """Return a checked dotted object identifier."""
    if len(text) > 200 or not OID.fullmatch(text):
        raise ValueError(f"'{text}' is not an object identifier such as 1.3.6.1.4.1.311.20.2.3")
    return str(text)
