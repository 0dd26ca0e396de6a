"""Templates: Jinja2 in a sandbox, in which every value has to fit the place where it stands.

A value goes through as it is when no syntax gives its characters a meaning (letters, digits and
``._:/*@+-``). Any other needs a filter that quotes it: ``json``, ``comment``, ``powershell``, ``base64``.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from pkigen.errors import InputError, Location, Problem, visible

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_SHIPPED = Path(__file__).parent / "templates"
_WORD = re.compile(r"[A-Za-z0-9._:/*@+\[\]-]+")
_PREFIX = "shipped"
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
"""What PowerShell takes for the end of a string that began with an apostrophe."""


class QuotedText(str):
    """Text that a filter has made fit for where it stands."""

    __slots__ = ()


class Templates:
    """The shipped templates, and before them those of the same names in a folder of the user's."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None and not folder.is_dir():
            raise InputError(f"{folder} is not a folder of templates")
        self._folder = folder
        self._environment = _environment(folder)

    def must_have_one_of(self, names: tuple[str, ...]) -> None:
        """InputError when the user's folder has none of the templates that a target uses."""
        if self._folder is None or any((self._folder / name).is_file() for name in names):
            return
        wanted = f"this target has {', '.join(names)}" if names else "this target has no templates"
        raise InputError(f"{self._folder} has no template that is used here: {wanted}")

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """A template's text; InputError says where in it something is wrong."""
        from jinja2 import TemplateSyntaxError

        try:
            return self._environment.get_template(name).render(variables)
        except TemplateSyntaxError as error:
            place = Location(error.filename or name, error.lineno, 1)
            raise InputError(Problem(visible(error.message or "not a template"), location=place)) from error
        except Exception as error:
            words = visible(str(error)) or type(error).__name__
            raise InputError(Problem(words, location=_place(error, name))) from error


def shipped_template(name: str) -> str:
    """The text of a template as it is shipped; InputError when there is none of that name."""
    names = sorted(path.name for path in _SHIPPED.glob("*.j2"))
    if name not in names:
        raise InputError(f"there is no template {visible(name)}; there are {', '.join(names)}")
    return (_SHIPPED / name).read_text("utf-8")


def _environment(folder: Path | None) -> SandboxedEnvironment:
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    shipped = FileSystemLoader(_SHIPPED)
    own = [] if folder is None else [FileSystemLoader(folder)]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*own, shipped, PrefixLoader({_PREFIX: shipped})]),
        undefined=StrictUndefined,
        autoescape=False,  # nothing here is HTML; each value is looked at by finalize
        finalize=_fitting,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "json": _json,
        "comment": _comment,
        "powershell": _powershell,
        "base64": _base64,
    }
    return environment


def _fitting(value: Any) -> str:
    if isinstance(value, QuotedText):
        return value
    text = str(value)
    if not _WORD.fullmatch(text):
        raise ValueError(f"{visible(text)!r} has to go through a filter that quotes it, such as json")
    return text


def _json(value: Any) -> QuotedText:
    """For JSON and YAML: ASCII, in which YAML reads every string as JSON does."""
    return QuotedText(json.dumps(value))


def _comment(value: Any) -> QuotedText:
    """For the rest of a line behind a comment's mark."""
    text = " ".join(str(value).split())
    return QuotedText(visible("".join(c if c.isprintable() else " " for c in text)).removesuffix("\\"))


def _powershell(value: Any) -> QuotedText:
    """A string of PowerShell in apostrophes, in which nothing but they has a meaning."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(f"{visible(text)!r} cannot stand in a PowerShell string")
    doubled = "".join(c * 2 if c in _SINGLE_QUOTES else c for c in text)
    return QuotedText(f"'{doubled}'")


def _base64(value: bytes | str) -> QuotedText:
    return QuotedText(b64encode(value.encode() if isinstance(value, str) else value).decode())


def _place(error: Exception, name: str) -> Location:
    """The line of the template that was being rendered, as far as the error tells."""
    lines = [frame for frame in extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return Location(lines[-1].filename, lines[-1].lineno or 0, 1) if lines else Location(name)
