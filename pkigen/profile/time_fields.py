"""Times, durations and validity periods in a profile."""

from __future__ import annotations

from typing import Annotated, Any

from pkigen.clock import LAST, Moment, Span, Validity, parse_moment, parse_span
from pkigen.documents.fields import Parsed, unknown
from pkigen.profile.key_hints import find_hint

_START = "-1h"
_NEVER = "never"


def _parse_length(text: str) -> Span:
    span = parse_span(text)
    if span.months < 0 or span.seconds < 0 or not (span.months or span.seconds):
        raise ValueError(f"'{text}' is not a length of time: it must be more than nothing")
    return span


def _parse_validity(value: Any) -> Validity:
    """``397d`` (from one hour back), {from: -1d, to: +397d}, {from: 2026-11-01, for: 90d} or {to: never}."""
    if isinstance(value, str):
        value = {"for": value}
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        raise ValueError("a validity is a length such as 397d, or a mapping of from and to, or from and for")
    if unknown_keys := set(value) - {"from", "to", "for"}:
        key = min(unknown_keys)
        hint = find_hint("valid", key, value[key])
        words = f"unknown key '{key}'; write {hint.written(value[key])}" if hint else None
        raise ValueError(words or unknown("key", key, ("from", "to", "for")))
    if ("to" in value) == ("for" in value):
        raise ValueError("a validity needs either its end (to) or its duration (for)")
    start = value.get("from", _START)
    text = f"from {start} " + (f"to {value['to']}" if "to" in value else f"for {value['for']}")
    if "to" in value:
        end = LAST if value["to"] == _NEVER else parse_moment(value["to"])
        return Validity(parse_moment(start), end, None, text)
    if value["for"] == _NEVER:
        raise ValueError("write {to: never} for a certificate without a well-defined end (RFC 5280, 4.1.2.5)")
    return Validity(parse_moment(start), None, _parse_length(value["for"]), text)


Length = Annotated[Span, Parsed(_parse_length, "a length of time such as 397d, 10y, 12h")]
Instant = Annotated[Moment, Parsed(parse_moment, "-2d, +397d, or ISO 8601")]
ValidityPeriod = Annotated[Validity, Parsed(_parse_validity, "397d or {from, to}", "")]
