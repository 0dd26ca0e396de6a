"""A build plans each certificate once, unless there are too many to keep."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import pkigen.plan
from pkigen import InputError, build
from pkigen.environment.build.options import Action
from pkigen.plan.entities import Planner
from tests.environment.profiles import build_it, small


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the certificates that were planned, in order."""
    names, plan_certificate = list[str](), Planner._certificate

    def counted(self: Planner, spec: Any) -> Any:
        names.append(spec.name)
        return plan_certificate(self, spec)

    monkeypatch.setattr(Planner, "_certificate", counted)
    return names


def test_a_build_plans_each_certificate_once(tmp_path: Path, planned: list[str]) -> None:
    build_it(small(), tmp_path)
    assert planned == ["console", "sensor-01", "sensor-02"]
    planned.clear()
    build_it(small(), tmp_path)
    assert planned == ["console", "sensor-01", "sensor-02"]


def test_more_than_the_limit_are_planned_in_each_pass(
    tmp_path: Path, planned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pkigen.plan, "_CACHE_LIMIT", 1)
    build_it(small(), tmp_path, at=datetime(2026, 11, 1, tzinfo=UTC))
    assert planned == 2 * ["console", "sensor-01", "sensor-02"]


def test_a_change_between_planning_and_locking_is_planned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded serial numbers depend on how often an entity was issued: an outdated plan would repeat one."""
    import pkigen.environment.build.build as build_module

    build_it(small(), tmp_path, seed="x")
    plan_unlocked = build_module._planned_without_lock

    def overtaken(*arguments: Any) -> Any:
        planned = plan_unlocked(*arguments)
        monkeypatch.setattr(build_module, "_planned_without_lock", plan_unlocked)
        build_it(small(), tmp_path, seed="x", rekey=True)
        return planned

    monkeypatch.setattr(build_module, "_planned_without_lock", overtaken)
    result = build_it(small(), tmp_path, seed="x", rekey=True)
    assert result.summary.counts[Action.REISSUE] == 5


def test_an_error_in_the_profile_creates_nothing(tmp_path: Path) -> None:
    profile = {**small(), "requirements": ["defender-iot"]}
    with pytest.raises(InputError):
        build(profile, tmp_path / "out")
    assert not (tmp_path / "out").exists()
