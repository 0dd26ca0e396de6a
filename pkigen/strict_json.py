"""Parses JSON whose values can be encoded again: valid Unicode, finite numbers, limited nesting."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, NoReturn


def parse_json(data: bytes) -> Any:
    """Parse JSON in UTF-8 (RFC 8259, 8); ValueError with the reason for anything else.

    ``json.loads`` also accepts NaN, lone surrogates, and other encodings; it raises RecursionError for deep
    nesting.
    """
    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in text:
            # Only an escape can be a lone surrogate, which no encoding has.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a string contains a lone surrogate, which is not a character") from None
    except RecursionError:
        raise ValueError("the values are nested too deeply") from None
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)
