"""JSON output of results that are larger than memory should be."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pkigen.cli._console import _ITEMS_AT_ONCE, _json, print_json
from tests.effort import calls


def test_the_items_of_an_iterator_are_printed_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    output, sizes = io.StringIO(), list[int]()
    monkeypatch.setattr("sys.stdout", output)

    def items() -> Iterator[dict[str, int]]:
        for number in range(_ITEMS_AT_ONCE * 2 + 1):
            sizes.append(len(output.getvalue()))
            yield {"number": number}

    print_json([{"items": items(), "none": iter(()), "at": datetime(2026, 1, 1, tzinfo=UTC)}])
    assert len(set(sizes)) == 3
    assert json.loads(output.getvalue()) == [
        {
            "items": [{"number": number} for number in range(_ITEMS_AT_ONCE * 2 + 1)],
            "none": [],
            "at": "2026-01-01 00:00:00+00:00",
        }
    ]


@pytest.mark.parametrize(
    "items",
    [
        [{"a": 1}, {"a": 2}],
        [{"a": "}, {"}, {"a": 2}],
        [{"a": [{}, {}]}, {}],
        [[{"a": 1}, {"a": 2}], 5],
        [1, "x"],
        [{}],
    ],
)
def test_each_item_of_an_iterator_is_on_one_line(
    items: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    print_json(iter(items))
    lines = ",\n  ".join(map(json.dumps, items))
    assert capsys.readouterr().out == f"[\n  {lines}\n]\n"


def test_the_effort_for_an_item_of_an_iterator_is_that_of_its_share_of_a_call() -> None:
    efforts = [calls(lambda: list(_json(iter([{"a": "b"}] * count), "\n"))) for count in (200, 600)]  # noqa: B023
    assert (efforts[1] - efforts[0]) / 400 < 3


@pytest.mark.parametrize("value", [[], {}, None, 1.5, "é\n", [[], {}, [1]], {"a": {"b": [True, "x"]}}])
def test_json_has_the_layout_of_pythons_module(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(value)
    assert capsys.readouterr().out == json.dumps(value, indent=2) + "\n"
