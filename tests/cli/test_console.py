"""JSON output of results that are larger than memory should be."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pkigen.cli._console import print_json


def test_the_items_of_an_iterator_are_printed_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    output, sizes = io.StringIO(), list[int]()
    monkeypatch.setattr("sys.stdout", output)

    def items() -> Iterator[dict[str, int]]:
        for number in range(3):
            sizes.append(len(output.getvalue()))
            yield {"number": number}

    print_json([{"items": items(), "none": iter(()), "at": datetime(2026, 1, 1, tzinfo=UTC)}])
    assert sizes == sorted(set(sizes))
    assert json.loads(output.getvalue()) == [
        {
            "items": [{"number": 0}, {"number": 1}, {"number": 2}],
            "none": [],
            "at": "2026-01-01 00:00:00+00:00",
        }
    ]


@pytest.mark.parametrize("value", [[], {}, None, 1.5, "é\n", [[], {}, [1]], {"a": {"b": [True, "x"]}}])
def test_json_has_the_layout_of_pythons_module(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(value)
    assert capsys.readouterr().out == json.dumps(value, indent=2) + "\n"
