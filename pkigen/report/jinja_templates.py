"""The templates of drawings and pages; they escape every value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_DIRECTORY = Path(__file__).parent / "templates"


def render_template(template: str, values: Mapping[str, Any]) -> str:
    """Render a template of this package."""
    return _templates().get_template(template).render(values)


def read_template(name: str) -> str:
    """Return a file of the template directory unmodified."""
    return (_DIRECTORY / name).read_text("utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_DIRECTORY),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
