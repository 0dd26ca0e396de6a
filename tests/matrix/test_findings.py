"""The page of findings: what it speaks of is there, and is a difference that has its reason."""

from __future__ import annotations

import re

from pkigen.faults import FAULTS
from pkigen.matrix import known_differences
from tests.tools import ROOT

PAGE = (ROOT / "docs" / "findings.md").read_text("utf-8")


def test_every_command_is_about_an_existing_fault() -> None:
    named = re.findall(r"^files (\S+)$|--only sensor\.(\S+)", PAGE, re.MULTILINE)
    names = {one or other for one, other in named}
    assert len(names) >= 10
    assert names <= FAULTS.keys()


def test_every_probable_bug_has_an_entry() -> None:
    bugs = {one.fault for one in known_differences() if one.kind == "bug"}
    assert [fault for fault in sorted(bugs) if fault not in PAGE] == []
