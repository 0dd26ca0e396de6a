"""Comparison of a plan with the store: the entry and the damage of each entity, and what left the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pkigen.environment.build.diff import Decision, PlanDiff, output_digest, writes_files
from pkigen.environment.build.options import Action, Change
from pkigen.environment.build.reissue_reasons import ReissueDecider
from pkigen.model import Entity, Output, Role
from pkigen.plan import Plan
from pkigen.store import Damage, Entry, Store
from pkigen.store.enrolled import EnrolledRow
from tests.store.fakes import publish


class _Decider:
    """Issues entities without an entry, and reissues those with a damaged file."""

    def decide(self, entity: Entity, entry: Entry | None, damage: Sequence[Damage], output: str) -> Change:
        action = Action.ISSUE if entry is None else Action.REISSUE if damage else Action.KEEP
        return Change(entity.id, action, (*(one.path for one in damage), output))


def _entity(name: str, role: Role = Role.CERTIFICATE, **output: Any) -> Entity:
    return Entity(role, name, "ec-p256", (), (), Output(**{"alias": name, **output}))


def _diff(store: Store | None, *names: str) -> PlanDiff:
    """Return the comparison of a plan with one authority and some end entities."""
    planned = SimpleNamespace(
        authorities=(_entity("root", Role.AUTHORITY),), certificates=lambda: map(_entity, names)
    )
    return PlanDiff(cast(Plan, planned), store, cast(ReissueDecider, _Decider()), b"salt")


def test_without_a_store_every_entity_is_new() -> None:
    diff = _diff(None, "b", "a")
    decisions = [*diff.authorities(), *diff.certificates()]
    assert [(one.entity.id, one.entry, one.change.action) for one in decisions] == [
        ("authorities/root", None, Action.ISSUE),
        ("certificates/b", None, Action.ISSUE),
        ("certificates/a", None, Action.ISSUE),
    ]
    assert list(diff.seen) == ["authorities/root", "certificates/b", "certificates/a"]
    assert list(diff.removed()) == []


def test_each_of_many_entities_is_compared_with_its_own_entry_and_files(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(300)]
    publish(tmp_path, *names)
    (tmp_path / "certificates/n290/n290.crt").write_text("other")
    (tmp_path / "certificates/n7/chain.pem").unlink()
    with Store.open(tmp_path, write=False) as store:
        decisions: list[Decision] = list(_diff(store, *reversed(names), "new").certificates())
    assert [one.entity.name for one in decisions] == [*reversed(names), "new"]
    assert {one.entity.id for one in decisions if one.entry is None} == {"certificates/new"}
    assert all(one.entry.id == one.entity.id for one in decisions if one.entry)
    assert {one.change.reasons[0] for one in decisions if one.change.action is Action.REISSUE} == {
        "certificates/n290/n290.crt",
        "certificates/n7/chain.pem",
    }


def test_what_left_the_plan_is_removed_except_what_devices_requested(tmp_path: Path) -> None:
    publish(tmp_path, "a", "b", "c", "requested")
    with Store.open(tmp_path, write=True) as store:
        row = EnrolledRow("certificates/requested", "template", "est", "device", 0, b"request")
        store.index.enrolled.add([row])
        diff = _diff(store, "b", "new")
        list(diff.certificates())
        assert [entry.id for entry in diff.removed()] == ["certificates/a", "certificates/c"]


@pytest.mark.parametrize(
    "output",
    [
        {"formats": ("pkcs12",)},
        {"key_format": "traditional"},
        {"alias": "server"},
        {"passphrase": b"secret"},
        {"pkcs12_passphrase": b"secret"},
    ],
)
def test_files_are_written_again_if_the_profile_changes_their_form(output: dict[str, Any]) -> None:
    before = output_digest(_entity("a"), b"salt")
    assert output_digest(_entity("a", **output), b"salt") != before
    assert output_digest(_entity("a", **output), b"salt") == output_digest(_entity("a", **output), b"salt")


def test_the_digest_of_an_output_hides_the_passphrase_behind_the_salt() -> None:
    entity = _entity("a", passphrase=b"secret")
    assert output_digest(entity, b"salt") != output_digest(entity, b"other salt")
    renamed = replace(entity, name="b", output=replace(entity.output, alias="b"))
    assert output_digest(renamed, b"salt") == output_digest(entity, b"salt")


def test_the_digest_of_an_output_never_changes_or_every_environment_would_be_rewritten() -> None:
    entity = _entity("a", formats=("pkcs12",), passphrase=b"secret")
    assert output_digest(entity, b"salt") == "30274036f1a3fbb50f5910165633d3b4"


def test_only_issued_and_rewritten_entities_have_files_to_write() -> None:
    writing = {action for action in Action if writes_files(Change("certificates/a", action))}
    assert writing == {Action.ISSUE, Action.REISSUE, Action.REWRITE}
