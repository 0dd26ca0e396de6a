"""SIGKILL at every step of a publication, and at random times."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from pkigen.store import Store
from tests.store.victim import (
    AUTHORITY,
    PRUNED,
    dies,
    kill_before,
    publish,
    publish_until_killed,
    torn,
    violations,
)

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
_KILLS = 60
_EACH_RECOVERY = 6  # the recovery from every sixth kill is killed at each of its own steps
_BATCH = [AUTHORITY, "certificates/a", "certificates/b", "certificates/new"]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An environment with two entities that contain foreign files, and one to prune."""
    folder = tmp_path / "before"
    with Store.open(folder, write=True) as opened:
        publish(opened, [*_BATCH[:3], PRUNED], 0)
    (folder / "certificates/a/note.txt").write_text("mine")
    (folder / "certificates/b/b.key").write_text("altered")
    return folder


def _publish(folder: Path, point: int, exchange: bool) -> None:
    kill_before(point, exchanges=exchange)
    with Store.open(folder, write=True) as opened:
        publish(opened, _BATCH, 1)
        opened.remove(opened.index.get([PRUNED])[PRUNED])


def _recover(folder: Path, point: int) -> None:
    kill_before(point, exchanges=True)
    with Store.open(folder, write=True):
        pass


@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "moved-aside"])
def test_a_kill_before_each_disk_operation_is_recovered(before: Path, exchange: bool) -> None:
    for point in count(1):
        folder = before.with_name(f"killed-{point}")
        shutil.copytree(before, folder)
        killed = dies(partial(_publish, folder, point, exchange))
        assert torn(folder, absent=not exchange) == [], f"right after {point}"
        if point % _EACH_RECOVERY == 0:
            again = (dies(partial(_recover, folder, at)) for at in count(1))
            while next(again):
                assert torn(folder, absent=not exchange) == [], f"recovering from {point}"
        with Store.open(folder, write=True) as opened:
            assert violations(opened) == [], f"recovered from {point}"
        assert (folder / "certificates/a/note.txt").read_text() == "mine"
        copies = [*(folder / "certificates/b").glob("b.key"), *folder.glob(".pkigen/replaced/*/b.key")]
        assert "altered" in [path.read_text() for path in copies], f"lost by {point}"
        if not killed:
            break
        shutil.rmtree(folder)
    assert point > 60
    assert (folder / "certificates/new/new.crt").read_text() == "1"
    assert not (folder / PRUNED).exists()


@pytest.mark.slow
def test_a_kill_at_a_random_time_is_recovered(tmp_path: Path) -> None:
    moments, interrupted, acknowledged = random.Random(20261123), 0, -1
    for kill in range(_KILLS):
        output, victim_output = os.pipe()
        with os.fdopen(output) as lines:
            victim = os.fork()
            if victim == 0:
                publish_until_killed(tmp_path, victim_output)
            os.close(victim_output)
            assert lines.readline() == "open\n"
            select.select([], [], [], moments.uniform(0, 0.06))
            os.kill(victim, signal.SIGKILL)
            numbers = [int(line) for line in lines]
        _, status = os.waitpid(victim, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        interrupted += bool(list((tmp_path / ".pkigen/staging").iterdir()))
        assert torn(tmp_path, absent=kill == 0) == [], f"right after kill {kill}"
        with Store.open(tmp_path, write=True) as opened:
            assert violations(opened) == [], f"recovered from kill {kill}"
            acknowledged = max([acknowledged, *numbers])
            generations = {int(entry.spec) for entry in opened.index.entries()}
        assert min(generations, default=-1) >= acknowledged, "a publication was taken back"
    assert interrupted > _KILLS // 2
