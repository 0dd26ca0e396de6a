"""The records of the enrollment protocols: transactions, owners, statuses, and a database that fails."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkigen.enrolment.state import FILE, State, state_of
from pkigen.environment.enrol import Enroller
from pkigen.errors import EnvironmentFailure


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path)
    yield opened
    opened.close()


def test_a_record_is_replaced_and_survives_the_process(state: State, tmp_path: Path) -> None:
    state.put("order", "1", {"status": "pending", "names": ["ä"]}, owner="a")
    state.put("order", "1", {"status": "ready"}, owner="a")
    other = State(tmp_path)
    assert (other.get("order", "1"), other.get("order", "2"), other.get("account", "1")) == (
        {"status": "ready"},
        None,
        None,
    )
    other.close()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    state.delete("order", "1")
    state.delete("order", "1")
    assert state.get("order", "1") is None


def test_a_transaction_writes_everything_or_nothing(state: State, tmp_path: Path) -> None:
    other = State(tmp_path)
    with state.transaction():
        state.put("a", "1", {})
        with state.transaction():
            state.put("a", "2", {})
        assert other.count("a") == 0
    assert other.count("a") == 2
    for is_nested in (False, True):
        with pytest.raises(KeyError):
            _put_and_fail(state, is_nested=is_nested)
        assert other.count("a") == 2
    with state.transaction():
        state.put("a", "6", {})
    assert sorted(record_id for record_id, _ in other.all("a")) == ["1", "2", "6"]
    other.close()


def _put_and_fail(state: State, *, is_nested: bool) -> None:
    with state.transaction():
        state.put("a", "3", {})
        with state.transaction():
            state.put("a", "4", {})
            if is_nested:
                raise KeyError
        raise KeyError


def test_records_of_an_owner_are_in_their_order_and_in_pages(state: State) -> None:
    for number in (3, 1, 2):
        state.put("order", f"{number}", {"number": number, "status": "valid"}, owner="a")
    state.put("order", "4", {"number": 4, "status": "invalid"}, owner="b")
    state.put("order", "3", {"number": 3, "status": "invalid"}, owner="a")
    first = state.owned("order", "a", limit=2)
    assert [(record_id, data["number"]) for _, record_id, data in first] == [("3", 3), ("1", 1)]
    rest = state.owned("order", "a", after=first[-1][0])
    assert [record_id for _, record_id, _ in rest] == ["2"]
    assert (state.count("order"), state.count("order", "a"), state.count("order", "c")) == (4, 3, 0)
    assert state.count_status("order", "a", ["valid", "invalid"]) == 3
    assert state.count_status("order", "a", ["invalid"]) == 1
    assert [record_id for record_id, _ in state.with_status("order", "a", "valid")] == ["1", "2"]
    assert state.with_status("order", "b", "valid") == []


def test_a_database_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(EnvironmentFailure, match=f"^{FILE} cannot be read or written: "):
        State(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnvironmentFailure, match=f"^{FILE} cannot be read or written: "):
        State(tmp_path / "file")


def test_the_database_of_an_environment_is_closed_with_its_last_user(folder: Path) -> None:
    enroller = Enroller(folder)
    records = state_of(enroller)
    assert state_of(enroller) is records
    assert records.count("order") == 0
    del enroller
    gc.collect()
    with pytest.raises(EnvironmentFailure, match="closed database"):
        records.count("order")
