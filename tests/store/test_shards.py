"""The table of shards: serial numbers lead to one shard, and names to the current one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pkigen.store import Store
from pkigen.store.entries import DamagedIndex
from pkigen.store.shards import CURRENT, FORMER, ShardFile, ShardRow, ShardTable
from tests.store.fakes import publish

_BASE = 5 << 32
_FILE = ShardFile("fleets/meter/1.jsonl", "ab" * 32, 12, 1_700_000_000_000_000_000)
_FIRST = ShardRow(
    "authorities/root", _BASE, "meter", 1, 50, 3, CURRENT, "spec", "issuers", 10, 20, "superseded", (_FILE,)
)
_SECOND = replace(_FIRST, base=6 << 32, first=51, last=100)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """The index of a new environment."""
    publish(tmp_path, "a")
    return tmp_path / ".pkigen/index.db"


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[ShardTable]:
    """The shards of a new environment: a fleet of 100 certificates, and another one with one."""
    with Store.open(tmp_path, write=True) as store:
        for row in (_SECOND, _FIRST, replace(_FIRST, base=7 << 32, fleet="gate", first=1, last=1)):
            store.index.shards.publish(row)
        yield store.index.shards


def test_shards_are_read_back_in_the_order_of_their_certificates(shards: ShardTable) -> None:
    assert shards.current("meter") == [_FIRST, _SECOND]
    assert shards.current("none") == []
    assert shards.fleets() == ["gate", "meter"]


@pytest.mark.parametrize(
    ("serial", "number"),
    [(_BASE, None), (_BASE + 1, 1), (_BASE + 50, 50), (_BASE + 51, None), ((4 << 32) + 1, None)],
)
def test_a_serial_number_leads_to_the_certificate_of_one_shard(
    shards: ShardTable, serial: int, number: int | None
) -> None:
    expected = None if number is None else (_FIRST, number)
    assert shards.of_serial("authorities/root", serial) == expected
    assert shards.of_serial("authorities/other", serial) is None


@pytest.mark.parametrize(
    ("name", "row", "number"),
    [
        ("meter-001", _FIRST, 1),
        ("meter-050", _FIRST, 50),
        ("meter-051", _SECOND, 51),
        ("meter-101", None, 0),
        ("meter-1", None, 0),
        ("meter-0001", None, 0),
        ("meter-\N{ARABIC-INDIC DIGIT ONE}01", None, 0),
        ("other-001", None, 0),
        ("meter", None, 0),
    ],
)
def test_a_name_leads_to_the_certificate_only_as_it_is_written(
    shards: ShardTable, name: str, row: ShardRow | None, number: int
) -> None:
    assert shards.of_name(name) == (None if row is None else (row, number))


def test_a_name_can_have_all_digits_of_a_32_bit_number(shards: ShardTable) -> None:
    large = replace(_FIRST, base=8 << 32, fleet="large", first=4_000_000_000, last=4_000_000_000, width=10)
    shards.publish(large)
    assert shards.of_name("large-4000000000") == (large, 4_000_000_000)
    assert shards.of_name("large-04000000000") is None


def test_a_new_shard_makes_those_with_its_certificates_former_ones(shards: ShardTable) -> None:
    new = replace(_FIRST, base=9 << 32, first=50, last=60)
    shards.publish(new)
    assert shards.current("meter") == [new]
    assert shards.of_serial("authorities/root", _BASE + 1) == (replace(_FIRST, state=FORMER, files=()), 1)
    assert [shards.times_published("meter", *limits) for limits in ((1, 49), (50, 60), (61, 99))] == [1, 3, 1]


def test_a_deleted_shard_keeps_its_serial_numbers_and_loses_its_files(shards: ShardTable) -> None:
    shards.retire(_FIRST)
    assert shards.current("meter") == [_SECOND]
    assert shards.of_name("meter-001") is None
    assert shards.of_serial("authorities/root", _BASE + 1) == (replace(_FIRST, state=FORMER, files=()), 1)
    shards.retire(_SECOND)
    assert shards.fleets() == ["gate"]


def test_serial_numbers_of_a_shard_are_reserved_once(tmp_path: Path) -> None:
    reserved = replace(_FIRST, state=0)
    with Store.open(tmp_path, write=True) as store:
        shards = store.index.shards
        assert shards.reserve([reserved]) == []
        assert shards.reserve([reserved]) == []  # a killed build repeats it
        assert shards.times_published("meter", 1, 50) == 0
        other = replace(reserved, last=49)
        assert shards.reserve([other]) == [other]
        store.index.reserve([("authorities/root", _SECOND.serial(100), "certificates/a")])
        assert shards.reserve([_SECOND]) == [_SECOND]
        store.index.reserve([("authorities/root", (9 << 32) + 101, "certificates/a")])
        assert shards.reserve([replace(_SECOND, base=9 << 32)]) == []
        shards.publish(_FIRST)
        assert shards.reserve([reserved]) == [reserved]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shards SET spec = 5",
        "UPDATE shards SET first = 'one'",
        "UPDATE shards SET width = 1.5",
        "UPDATE shards SET revoked = NULL",
        "UPDATE shards SET files = 'x'",
        "UPDATE shards SET files = '[[1, \"\", 0, 0]]'",
        'UPDATE shards SET files = \'[["a", "", "0", 0]]\'',
    ],
)
def test_a_damaged_shard_is_reported(index: Path, change: str) -> None:
    with Store.open(index.parent.parent, write=True) as store:
        store.index.shards.publish(_FIRST)
        connection = sqlite3.connect(index)
        connection.executescript(change)
        connection.close()
        with pytest.raises(DamagedIndex, match="shards: meter"):
            store.index.shards.current("meter")
