"""The templates of drawings and pages: everything that goes into them is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent / "templates"


def render_template(template: str, values: Mapping[str, Any]) -> str:
    """A template of this package, filled in."""
    return _templates().get_template(template).render(values)


def read_template(name: str) -> str:
    """A file of the templates' folder as it stands."""
    return (_FOLDER / name).read_text("utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
