"""A build of a fleet that is killed at any moment: no serial number has two certificates, and it resumes."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

from tests.environment import kill
from tests.environment.fleets.profiles import rows, with_fleet

_KILLS = 5
_BODY = """
import sys, pkigen.cli
assert pkigen.cli.main(["build", *sys.argv[1:], "--jobs", "1"]) == 0
"""


def test_no_serial_number_is_used_twice(tmp_path: Path) -> None:
    profile, out, folder = tmp_path / "lab.json", tmp_path / "out", tmp_path / "out" / "lab"
    certificates = dict[str, str]()

    def write(generation: int) -> None:
        document = with_fleet(
            24, 6, subject={"CN": f"{{{{ name }}}}.test{generation}"}, to=["jsonl", "sqlite"]
        )
        profile.write_text(json.dumps(document))

    def remember() -> None:
        for form in ("jsonl", "sqlite"):
            for row in rows(folder, form).values():
                assert certificates.setdefault(row["serial"], row["certificate"]) == row["certificate"]

    with kill.program(_BODY) as run:
        for generation in (0, 1):
            write(generation)
            exit_code, events = run(profile, "--force", "--out", out, kill_at=0)
            assert exit_code == 0
            remember()
        moments = random.Random(20261129)
        for generation in range(2, _KILLS + 2):
            write(generation)
            kill_at = moments.randrange(events // 4, events)
            if run(profile, "--force", "--out", out, kill_at=kill_at)[0] == -signal.SIGKILL:
                remember()
        assert run(profile, "--force", "--out", out, kill_at=0)[0] == 0
    remember()
    assert rows(folder, "jsonl") == rows(folder, "sqlite")
    assert len(rows(folder)) == 24
    assert not any((folder / ".pkigen" / "staging").iterdir())
