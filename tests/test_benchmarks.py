"""The table of benchmarks: its names, the exponents of growth, and the reasons of missed goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import growth, results
from benchmarks.__main__ import main
from benchmarks.limits import with_limit
from benchmarks.rows import Measurement, Row


def test_a_single_measurement_can_be_selected(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--list"])
    names = capsys.readouterr().out.splitlines()
    assert {"22 fresh RSA-2048", "fleet over Dask", "growth of ranges"} <= set(names)
    with pytest.raises(SystemExit, match="no measurement has 'fastest' in its name"):
        main(["fastest"])


def test_update_replaces_the_rows_of_the_selected_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(*works: str) -> Measurement:
        name = works[0].partition(" ")[0]
        return name, lambda _space: iter([Row(one, "-", "now", "", "", "-", reached=None) for one in works])

    path = tmp_path / "results.json"
    first = [measure("a 1"), measure("a 2"), measure("b 1")]
    monkeypatch.setattr("benchmarks.__main__.measurements", lambda: first)
    main([], path)
    rows = [(row["measurement"], row["work"]) for row in results.stored(path)]
    assert rows == [("a", "a 1"), ("a", "a 2"), ("b", "b 1")]

    monkeypatch.setattr("benchmarks.__main__.measurements", lambda: [measure("a 3"), measure("b 2")])
    before = path.read_bytes()
    main(["a"], path)
    assert path.read_bytes() == before
    main(["--update", "a"], path)
    assert [row["work"] for row in results.stored(path)] == ["a 3", "b 1"]

    # Rows from before the file named their measurements.
    old = [{"work": work, "against": "-"} for work in ("x", "a 3", "b 1")]
    assert results.updated(old, results.stored(path)[:1])[1]["ours"] == "now"
    assert [row["work"] for row in results.updated(old, results.stored(path)[:1])] == ["x", "a 3", "b 1"]

    path.write_text(path.read_text().replace('"cores": ', '"cores": 9'))
    with pytest.raises(SystemExit, match=r"results.json is of another machine \(cores\): measure all rows"):
        main(["--update", "a"], path)


@pytest.mark.parametrize(("costs", "power"), [([1, 10, 100], 1), ([1, 1, 100], 2), ([3, 3, 3], 0)])
def test_the_exponent_is_that_of_the_last_two_sizes(costs: list[float], power: float) -> None:
    row = growth.row("build", (10, 100, 1000), costs)
    assert row.measured["exponent"] == pytest.approx(power)
    assert row.reached is (power <= growth.LIMIT)


def test_a_row_that_misses_its_goal_says_what_limits_it() -> None:
    missed = Row("ACME orders, 8 connections", "pebble", "", "", "", "at least 1x", reached=False)
    assert "in Python" in with_limit(missed).limited_by
    assert with_limit(Row("other", "-", "", "", "", "at least 1x", reached=True)).limited_by == ""


def test_growth_of_environments_measures_each_command(tmp_path: Path) -> None:
    rows = list(growth.environments((3, 4, 5), tmp_path))
    assert [row.work.partition(",")[0] for row in rows] == ["build", "build again", "report"]
