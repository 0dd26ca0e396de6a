"""Builds commit many entities with one flush: a flush takes longer than most certificates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.build import worker_pool, worker_processes
from pkigen.environment.build.options import BuildOptions
from pkigen.store import Publication, Store
from tests.environment.test_worker_processes import START_METHODS
from tests.tools import run

LEVELS: dict[str, Any] = {
    "name": "levels",
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {},
        **{f"upper-{number}": {"issuer": "root"} for number in range(6)},
        **{f"lower-{number}": {"issuer": f"upper-{number}"} for number in range(6)},
    },
    "certificates": {
        "slow": {"issuer": "lower-0", "key": "rsa-2048", "subject": {"CN": "slow"}},
        "sensor-{01..24}": {"issuer": "lower-1", "subject": {"CN": "{name}"}},
    },
}


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids of the entities that each flush commits."""
    commit, committed = Store.publish, list[list[str]]()

    def publish(store: Store, publications: Sequence[Publication]) -> None:
        committed.append([one.entry.id for one in publications])
        commit(store, publications)

    monkeypatch.setattr(Store, "publish", publish)
    return committed


@pytest.mark.needs("openssl")
def test_authorities_of_one_level_are_committed_together(tmp_path: Path, batches: list[list[str]]) -> None:
    folder = build(LEVELS, tmp_path).folder
    assert [len(batch) for batch in batches[:3]] == [1, 6, 6]
    anchor, upper = (folder / f"authorities/{name}/{name}.crt" for name in ("root", "upper-0"))
    lower = folder / "authorities/lower-0/lower-0.crt"
    run("openssl", "verify", "-CAfile", anchor, "-untrusted", upper, lower)


def test_a_slow_key_does_not_make_every_certificate_a_batch_of_its_own(
    tmp_path: Path, batches: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "_MANY", 16)
    monkeypatch.setattr("pkigen.environment.build.build.available_jobs", lambda: 2)
    build(LEVELS, tmp_path)
    sizes = [len(batch) for batch in batches if batch[0].startswith("certificates/")]
    assert sum(sizes) == 25
    assert len(sizes) <= 4


@pytest.mark.parametrize("start_method", START_METHODS)
def test_worker_processes_write_what_one_process_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_method: str
) -> None:
    monkeypatch.setattr(worker_processes, "_START_METHOD", start_method)
    certificates = {
        **LEVELS["certificates"],
        "revoked-{01..04}": {"issuer": "lower-2", "revoked": "keyCompromise"},
        "own-{1..3}": {"issuer": "self", "key": "ed25519", "passphrase": "secret"},
        "odd": {"issuer": "lower-2", "faults": ["expired"]},
    }
    profile = {**LEVELS, "certificates": certificates}
    monkeypatch.setattr("pkigen.environment.build.build.available_jobs", lambda: 2)
    options = BuildOptions(seed="x")
    alone = _contents(build(profile, tmp_path / "threads", options=options).folder)
    monkeypatch.setattr(worker_pool, "_MANY", 16)
    monkeypatch.setattr(worker_pool, "_PROCESS_BATCH", 7)
    assert _contents(build(profile, tmp_path / "processes", options=options).folder) == alone


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".pkigen" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
