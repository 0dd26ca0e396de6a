"""Builds of fleets: what a rebuild issues again, serial numbers, seeds, and interruptions."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.environment import open_environment
from pkigen.environment.fleets.worker import ShardWorker
from pkigen.environment.status import environment_status
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.issue import CertificateEncoder
from pkigen.model import Extension
from pkigen.plan import fleets as fleet_plans
from tests.environment.fleets.profiles import build_fleet, rows, with_fleet
from tests.environment.profiles import build_it, changes, manifest, reasons

_ALL = {f"meter-{numbers}.jsonl" for numbers in ("01-08", "09-16", "17-20")}


def _shards(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "fleets/meter/jsonl").iterdir()}


def test_a_second_build_changes_nothing(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path).folder
    before = _shards(folder)
    assert build_fleet(tmp_path).summary.up_to_date
    assert _shards(folder) == before


@pytest.mark.parametrize(
    ("edit", "rebuilt"),
    [
        ({"count": 22}, {"meter-17-22.jsonl"}),
        ({"faults": {"every": "10", "of": ["expired"]}}, {"meter-09-16.jsonl", "meter-17-20.jsonl"}),
        (
            {"subject": {"CN": "{{ name }}.example"}},
            _ALL,
        ),
        ({"subject": {"CN": "{{ 'odd' if index == '12' else name }}.test"}}, _ALL),
        ({"revoked": {"every": "2"}}, set()),
        ({"count": 16}, set()),
    ],
    ids=["more", "faults", "subject", "template", "revoked", "fewer"],
)
def test_an_edit_rebuilds_only_the_shards_that_it_affects(
    tmp_path: Path, edit: dict[str, Any], rebuilt: set[str]
) -> None:
    folder = build_fleet(tmp_path).folder
    before = _shards(folder)
    build_fleet(tmp_path, **edit)
    after = _shards(folder)
    assert {name for name in after if after[name] != before.get(name)} == rebuilt
    assert len(rows(folder)) == edit.get("count", 20)


@pytest.mark.parametrize("verify", [False, True])
def test_a_shard_that_was_altered_is_issued_again(tmp_path: Path, verify: bool) -> None:
    document = with_fleet()
    folder = build_it(document, tmp_path, jobs=1).folder
    path = folder / "fleets/meter/jsonl/meter-09-16.jsonl"
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"meter-11", b"meter-xx"))
    if verify:  # the size is the same, and so is the time
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert build_it(document, tmp_path, jobs=1).summary.up_to_date
    result = build_it(document, tmp_path, jobs=1, verify=verify)
    assert "1 of 3 shards, 8 certificates" in reasons(result, "meter")
    assert "meter-09-16.jsonl was altered" in reasons(result, "meter")
    assert "meter-11" in rows(folder)


@pytest.mark.parametrize("content", [None, b"other"])
def test_the_chain_file_is_written_again(tmp_path: Path, content: bytes | None) -> None:
    folder = build_fleet(tmp_path).folder
    path, shards = folder / "fleets/meter/chain.pem", _shards(folder)
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    build_fleet(tmp_path)
    assert path.read_bytes() == before
    assert _shards(folder) == shards


def test_a_seed_reproduces_every_shard_independently(tmp_path: Path) -> None:
    whole = build_fleet(tmp_path / "a", seed="x", jobs=2).folder
    parts = build_fleet(tmp_path / "b", seed="x", count=20).folder
    assert rows(whole) == rows(parts)
    (parts / "fleets/meter/jsonl/meter-09-16.jsonl").unlink()
    build_fleet(tmp_path / "b", seed="x")
    again = rows(parts)
    assert {name for name, row in again.items() if row["serial"] != rows(whole)[name]["serial"]} == {
        f"meter-{number:02}" for number in range(9, 17)
    }


def test_an_interrupted_build_resumes_and_never_repeats_a_serial_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued: list[set[str]] = []
    original = ShardWorker.members

    def recording(worker: Any, task: Any, prepared: Any) -> Any:
        for member in original(worker, task, prepared):
            issued[-1].add(member.serial)
            if len(issued) == 1 and member.name == "meter-12":
                raise KeyboardInterrupt
            yield member

    monkeypatch.setattr(ShardWorker, "members", recording)
    issued.append(set())
    with pytest.raises(KeyboardInterrupt):
        build_fleet(tmp_path)
    folder = tmp_path / "lab"
    assert list(_shards(folder)) == ["meter-01-08.jsonl"]
    assert not list((folder / ".pkigen/staging").iterdir())
    issued.append(set())
    result = build_fleet(tmp_path)
    assert result.summary.in_shards == 12
    assert len(rows(folder)) == 20
    assert not issued[0] & issued[1]


def test_the_manifest_lists_shards_and_no_certificates(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path, faults={"every": "7", "of": ["expired"]}, revoked={"every": "5"}).folder
    (fleet,) = manifest(folder)["fleets"]
    members = rows(folder)
    assert [(shard["first"], shard["last"]) for shard in fleet["shards"]] == [(1, 8), (9, 16), (17, 20)]
    for shard in fleet["shards"]:
        assert members[f"meter-{shard['first']:02}"]["serial"] == shard["first_serial"]
        assert members[f"meter-{shard['last']:02}"]["serial"] == shard["last_serial"]
    assert (fleet["faults"], fleet["revoked"]) == (
        {"every": 7, "of": ["expired"]},
        {"every": 5, "reason": "unspecified"},
    )
    assert manifest(folder)["cases"] == []


def test_an_encoder_that_disagrees_with_the_plan_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drifting(encoder: CertificateEncoder, extension: Extension, subject: bytes) -> bytes:
        return b"\x05\x00"

    class Drifting(CertificateEncoder):
        extension = drifting

    monkeypatch.setattr(fleet_plans, "CertificateEncoder", Drifting)
    with pytest.raises(EnvironmentFailure, match="a defect of pkigen"):
        build_fleet(tmp_path)
    assert not (tmp_path / "lab/fleets").exists()


def test_all_certificates_share_the_keys_of_a_pool(tmp_path: Path) -> None:
    result = build_fleet(tmp_path, key={"pool": "3", "kind": "ec-p384"})
    keys = {row["key"] for row in rows(result.folder).values()}
    assert len(keys) == 3
    assert any("20 certificates share 3 keys" in note for note in result.summary.notes)
    build_fleet(tmp_path, key={"pool": "3", "kind": "ec-p384"}, count=24)
    assert {row["key"] for row in rows(result.folder).values()} == keys


def test_requirements_are_checked_on_a_sample(tmp_path: Path) -> None:
    document = {**with_fleet(count=50), "requirements": ["defender-iot"], "base_url": "http://crl.test"}
    with pytest.raises(InputError, match=r"fleets.meter.key: defender-iot requires: The key is an RSA key"):
        build_it(document, tmp_path)
    subject = {"C": "US", "O": "Test", "OU": "Labs"}
    document["defaults"] = {"key": "rsa-2048", "subject": subject}
    result = build_it(document, tmp_path, keys="pool")
    assert any("a sample of 20 of 50 certificates" in note for note in result.summary.notes)


def test_a_fleet_that_left_the_profile_stays_until_it_is_pruned(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path, key={"pool": "2"}).folder
    document = with_fleet()
    del document["fleets"]
    assert changes(build_it(document, tmp_path)) == {"meter": "left"}
    assert len(rows(folder)) == 20
    assert changes(build_it(document, tmp_path, prune=True)) == {"meter": "prune"}
    assert not (folder / "fleets/meter").exists()


def test_the_status_counts_the_certificates_of_fleets(tmp_path: Path) -> None:
    faults, revoked = {"every": "7", "of": ["expired"]}, {"every": "5"}
    folder = build_fleet(tmp_path, faults=faults, revoked=revoked, valid="60d").folder
    now = datetime.now(UTC)
    (fleet,) = environment_status(open_environment(folder), now, now + timedelta(days=30)).fleets
    assert (fleet.count, fleet.shards, fleet.revoked, fleet.faulty, fleet.state) == (20, 3, 4, 2, "valid")
    (fleet,) = environment_status(open_environment(folder), now, now + timedelta(days=90)).fleets
    assert fleet.state == "expiring"
