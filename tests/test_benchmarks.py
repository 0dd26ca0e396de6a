"""The table of benchmarks: its names, the exponents of growth, and the reasons of missed goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import growth
from benchmarks.__main__ import main
from benchmarks.limits import with_limit
from benchmarks.rows import Row


def test_a_single_measurement_can_be_selected(capsys: pytest.CaptureFixture[str]) -> None:
    main("--list")
    names = capsys.readouterr().out.splitlines()
    assert {"22 fresh RSA-2048", "fleet over Dask", "growth of ranges"} <= set(names)
    with pytest.raises(SystemExit, match="no measurement has 'fastest' in its name"):
        main("fastest")


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
