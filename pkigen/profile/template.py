"""``{{ ... }}`` in strings: Jinja2's sandbox, limited to expressions with bounded time and size."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any

from pkigen.documents import limits
from pkigen.documents.fields import unknown

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

_VARIABLE = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?) *\}\}")
_MARKS = ("{{", "{%", "{#")
_TOO_LONG = f"this is longer than {limits.RENDERED_CHARACTERS} characters, as written or when rendered"
_FILTERS = ("lower", "upper", "title", "capitalize", "replace", "trim", "default", "int", "length", "string")
_STRING_METHODS = {
    "lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "replace",
    "startswith", "endswith", "removeprefix", "removesuffix",
}  # fmt: skip


class UnknownVariable(ValueError):
    """A name without a variable: an error in the template, independent of a table's row."""


def is_template(text: str) -> bool:
    """Return whether rendering can change a string."""
    return "{" in text and any(mark in text for mark in _MARKS)


def render(text: str, variables: Mapping[str, str]) -> str:
    """Return the string with its expressions replaced; raise ValueError that explains an error."""
    if len(text) > limits.RENDERED_CHARACTERS:
        raise ValueError(_TOO_LONG)
    rendered = _VARIABLE.sub(lambda match: _value(match[1], variables), text)
    if is_template(rendered) and is_template(_VARIABLE.sub("", text)):
        rendered = _render_expressions(text, variables)
    if len(rendered) > limits.RENDERED_CHARACTERS:
        raise ValueError(_TOO_LONG)
    return rendered


def _value(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise UnknownVariable(unknown("variable", name, tuple(variables)))
    value = variables[name]
    if len(value) > limits.RENDERED_CHARACTERS:
        raise ValueError(_TOO_LONG)
    return str(value)


def _render_expressions(text: str, variables: Mapping[str, str]) -> str:
    from jinja2 import TemplateError, UndefinedError

    if "{%" in text:
        raise ValueError("a template contains only expressions, {{ ... }}, and no statements")
    if any(len(value) > limits.RENDERED_CHARACTERS and name in text for name, value in variables.items()):
        raise ValueError(_TOO_LONG)
    try:
        return _compile(text).render(_nested(variables))
    except UndefinedError as error:
        raise UnknownVariable(f"the template cannot be rendered: {error.message}") from error
    except RecursionError as error:
        raise ValueError("the template cannot be rendered: it is nested too deeply") from error
    except TemplateError as error:
        raise ValueError(f"the template cannot be rendered: {error.message}") from error
    except Exception as error:
        raise ValueError(f"the template cannot be rendered: {error}") from error


def _nested(variables: Mapping[str, str]) -> dict[str, object]:
    """Return the variables as Jinja2 expects them: ``csr.CN`` is the item CN of csr."""
    nested = dict[str, Any]()
    for name, value in variables.items():
        group, dot, item = name.partition(".")
        if dot:
            nested.setdefault(group, {})[item] = value
        else:
            nested[name] = value
    return nested


@lru_cache(maxsize=4096)
def _compile(text: str) -> Template:
    return _environment().from_string(text)


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def bounded(value: Any) -> Any:
        text = str(value) if isinstance(value, list | tuple | dict) else value
        if isinstance(text, str) and len(text) > limits.RENDERED_CHARACTERS:
            raise SecurityError("it grows too long")
        return value

    def bounding(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)  # keeps the attributes that tell Jinja2 which arguments to pass
        def bounded_filter(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()):
                bounded(value)  # also check inputs: the result can be as long as the product of two
            return bounded(function(*args, **kwargs))

        return bounded_filter

    class Bounded(ImmutableSandboxedEnvironment):
        """No globals, few filters and methods, and no operator or result without a size limit."""

        intercepted_binops = frozenset(["*", "**", "%"])

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            return isinstance(obj, str) and attr in _STRING_METHODS

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if not isinstance(left, int) or not isinstance(right, int) or operator == "**":
                raise SecurityError(f"'{operator}' is for numbers, and '**' for none")
            return super().call_binop(context, operator, left, right)

        def wrap_str_format(self, value: Any) -> None:
            """Do not wrap, so that ``format`` is refused like any other method: its widths have no limit."""

        def call(self, context: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            for value in (getattr(function, "__self__", None), *args, *kwargs.values()):
                bounded(value)
            return bounded(super().call(context, function, *args, **kwargs))

    environment = Bounded(undefined=StrictUndefined, autoescape=False)  # names, not HTML
    environment.globals.clear()
    environment.filters = {name: bounding(environment.filters[name]) for name in _FILTERS}
    return environment
