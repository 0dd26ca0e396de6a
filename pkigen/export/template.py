"""Sandboxed Jinja2 templates that reject unquoted values.

A template can insert a value without a filter only if no target syntax treats its characters specially
(letters, digits and ``._:/*@+-``). Other values need a quoting filter: ``json``, ``comment``, ``powershell``,
``base64``, ``pem``.
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
_INLINE_PEM = re.compile(rb"[\n\r\t -;=?-~]+")
_PREFIX = "shipped"
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
"""The characters that PowerShell accepts as the closing quote of a single-quoted string."""


class QuotedText(str):
    """A string that a filter has quoted for its position in the file."""

    __slots__ = ()


class Templates:
    """The shipped templates; templates with the same name in the user's directory override them."""

    def __init__(self, directory: Path | None = None) -> None:
        if directory is not None and not directory.is_dir():
            raise InputError(f"{directory} is not a directory; --templates needs a directory with templates")
        self._directory = directory
        self._environment = _environment(directory)

    def require_override_of(self, names: tuple[str, ...]) -> None:
        """Raise InputError if the user's directory contains none of the target's templates."""
        if self._directory is None or any((self._directory / name).is_file() for name in names):
            return
        used = f"this target uses {', '.join(names)}" if names else "this target uses no templates"
        raise InputError(f"{self._directory} contains no template of this target: {used}")

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """Render a template; an InputError states the line of an error in it."""
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
    """Return the source of a shipped template; raise InputError for an unknown name."""
    names = sorted(path.name for path in _SHIPPED.glob("*.j2"))
    if name not in names:
        raise InputError(f"unknown template {visible(name)}; the templates are {', '.join(names)}")
    return (_SHIPPED / name).read_text("utf-8")


def _environment(directory: Path | None) -> SandboxedEnvironment:
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    shipped = FileSystemLoader(_SHIPPED)
    own = [] if directory is None else [FileSystemLoader(directory)]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*own, shipped, PrefixLoader({_PREFIX: shipped})]),
        undefined=StrictUndefined,
        autoescape=False,  # the output is not HTML; finalize checks every value
        finalize=_require_quoting,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "json": _json,
        "comment": _comment,
        "powershell": _powershell,
        "base64": _base64,
        "pem": _pem,
    }
    return environment


def _require_quoting(value: Any) -> str:
    if isinstance(value, QuotedText):
        return value
    text = str(value)
    if not _WORD.fullmatch(text):
        raise ValueError(f"{visible(text)!r} must be quoted by a filter such as json")
    return text


def _json(value: Any) -> QuotedText:
    """Quote for JSON and YAML: YAML reads ASCII-only JSON strings in the same way."""
    return QuotedText(json.dumps(value))


def _comment(value: Any) -> QuotedText:
    """Quote for the rest of a comment line."""
    text = " ".join(str(value).split())
    return QuotedText(visible("".join(c if c.isprintable() else " " for c in text)).removesuffix("\\"))


def _powershell(value: Any) -> QuotedText:
    """Quote as a single-quoted PowerShell string, in which only quotes are special."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(f"{visible(text)!r} contains characters that a PowerShell string cannot contain")
    doubled = "".join(c * 2 if c in _SINGLE_QUOTES else c for c in text)
    return QuotedText(f"'{doubled}'")


def _base64(value: bytes | str) -> QuotedText:
    return QuotedText(b64encode(value.encode() if isinstance(value, str) else value).decode())


def _pem(value: bytes) -> QuotedText:
    """Insert PEM between tags in angle brackets, as OpenVPN has them; the data must not contain a tag."""
    if not is_inline_pem(value):
        raise ValueError("data that is not PEM cannot be inserted")
    return QuotedText(value.decode("ascii").strip())


def is_inline_pem(data: bytes) -> bool:
    """Return whether data is printable ASCII without angle brackets."""
    return _INLINE_PEM.fullmatch(data) is not None


def _place(error: Exception, name: str) -> Location:
    """Return the template line that was being rendered, if the traceback contains it."""
    lines = [frame for frame in extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return Location(lines[-1].filename, lines[-1].lineno or 0, 1) if lines else Location(name)
