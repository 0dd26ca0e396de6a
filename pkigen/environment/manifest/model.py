"""The base class of the models of manifest.json, and the types of names and paths in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from pkigen.files import PATH_PART, RELATIVE_PATH

EntityName = Annotated[str, Field(pattern=f"^{PATH_PART}$")]
"""A name that is part of the paths of an entity's files."""
FilePath = Annotated[str, Field(pattern=f"^{RELATIVE_PATH}$")]
"""A path relative to the environment that stays inside it."""

FileUrl = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://\S+$")]


class ManifestModel(BaseModel):
    """A part of the manifest."""

    # Most commands need a few of these models, and compiling all of them takes 20 ms.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def partial(cls, **fields: Any) -> Self:
        """Return an object with some of its fields, which are not validated: builds know their types."""
        construct: Callable[..., Any] = cls.model_construct
        instance: Self = construct(set(fields), **{**_defaults(cls), **fields})
        return instance

    def as_json(self) -> str:
        """Return one compact line of JSON with the fields that are set."""
        return self.model_dump_json(exclude_unset=True)


@cache
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's default values; pydantic inspects each default_factory again for every object."""
    fields = model.model_fields.items()
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in fields
        if not field.is_required()
    }
