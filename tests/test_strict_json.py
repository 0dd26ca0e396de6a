"""JSON whose values could not be encoded again is refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.strict_json import parse_json

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=_VALUES)
def test_every_value_round_trips_in_both_encodings(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (rb'"\ud800"', "lone surrogate"),
        (rb'{"a": [{"\udfff": 1}]}', "lone surrogate"),
        (b'"\xed\xa0\x80"', "utf-8"),
        (b"NaN", "not a number"),
        (b"[-Infinity]", "not a number"),
        (b"1e999", "not a number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 10_000, "digits"),
        ('"x"'.encode("utf-16"), "utf-8"),
        (b"", "Expecting value"),
    ],
)
def test_values_that_json_cannot_encode_are_rejected(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(data)
