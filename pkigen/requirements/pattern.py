"""Regular expressions of requirement sets, matched in linear time.

A set can come from anywhere, and Python's ``re`` backtracks: ``(a+)+`` takes years for fifty characters.
pydantic's validators match with Rust's regex engine, which has no lookaround and no backreferences, and
does not backtrack.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST_PATTERN = 1000
LONGEST_VALUE = 1024
"""Characters of a value that a pattern can match: the time is the product of both lengths."""


class Pattern(str):
    """A regular expression that a whole value matches; ValueError if it is malformed."""

    __slots__ = ()

    def __new__(cls, text: str) -> Pattern:
        """Compile the expression."""
        if len(text) > LONGEST_PATTERN:
            raise ValueError(f"the pattern has {len(text):,} characters; the limit is {LONGEST_PATTERN:,}")
        # Alone as well: '(?:' and ')' around the pattern 'a)|(b' would make it valid.
        for expression in (text, _of_whole_value(text)):
            try:
                _validator(expression)
            except SchemaError as error:
                reason = str(error).splitlines()[-1].strip().removeprefix("error: ")
                reason = reason.removeprefix("SchemaError: ")
                raise ValueError(f"'{text}' is not a supported regular expression: {reason}") from error
        return super().__new__(cls, text)

    def matches(self, value: str) -> bool:
        """Return whether the pattern matches the whole value, which has at most LONGEST_VALUE characters."""
        return len(value) <= LONGEST_VALUE and _validator(_of_whole_value(self)).isinstance_python(value)


def _of_whole_value(text: str) -> str:
    return rf"\A(?:{text})\z"


@lru_cache(maxsize=64)
def _validator(expression: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=expression, regex_engine="rust-regex", strict=True))
