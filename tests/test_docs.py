"""The pages in docs/: what they show is there, and works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pkigen.requirements import load_set
from pkigen.requirements.demands import KINDS
from tests.tools import ROOT

PAGE = (ROOT / "docs" / "requirements.md").read_text("utf-8")


def test_the_requirement_set_on_the_page_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "my-appliance.yaml").write_text(example, encoding="utf-8")
    found = load_set("my-appliance.yaml", tmp_path)
    assert [requirement.id for requirement in found.requirements] == ["key-2048", "not-expired", "crl-http"]


def test_the_page_names_every_kind_of_demand_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", PAGE.partition("## Kinds")[2], re.MULTILINE)
    assert {kind for kind, _ in rows} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_names_every_parameter_of_a_kind(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert [name for name in KINDS[kind].model_fields if f"`{name}" not in row] == []


def test_the_fault_that_the_contributors_page_adds_is_one_of_ours() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(@fault.*?)```", page, re.DOTALL)
    assert example in (ROOT / "pkigen/faults/names.py").read_text(encoding="utf-8")
