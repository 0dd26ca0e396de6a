"""The three forms of a drawing, read by what they are for; names can be anything."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen import Environment
from pkigen.report import as_dot, as_mermaid, as_svg, hierarchy_of
from tests.report.conftest import CLOCK
from tests.report.manifests import authority, case, manifest

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert(1)</script> "quoted" \\n &amp; {{ 7 }} ]] --> \u202e end'
_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


def _texts(svg: str, name: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314  made here
    return [str(result.text) for result in root.iter(f"{_SVG}text") if result.get("class") == name]


def test_the_svg_has_a_box_for_each_node_and_loads_nothing(deep: Environment) -> None:
    svg = as_svg(hierarchy_of(deep.manifest, CLOCK))
    assert set(_texts(svg, "title")) == {
        *("current-root", "legacy-root", "policy-ca", "regional-ca", "issuing-ca", "web", "client")
    }
    assert _texts(svg, "on-line") == ["cross"]
    assert re.findall(r"(?:href|src|url)\W", svg) == []
    assert "prefers-color-scheme: dark" in svg


@given(_TEXT)
def test_any_name_is_unchanged_in_the_svg(name: str) -> None:
    svg = as_svg(hierarchy_of(manifest([authority("root")], [case(name)]), _NOW))
    assert len(_texts(svg, "title")) == 2


def test_a_name_is_never_markup() -> None:
    result = hierarchy_of(manifest([authority("root")], [case(NASTY)]), _NOW)
    assert "<script" not in as_svg(result)
    assert "\u202e" not in as_svg(result)
    (label,) = re.findall(r'n1\["(.*?)"\]', as_mermaid(result))
    assert re.fullmatch(r"(?:[\w .,:/()+=_*…-]|#[0-9]+;|<br/>)*", label)


def _dot(text: str) -> list[dict[str, str]]:
    done = subprocess.run(
        ["dot", "-Tjson"], input=text, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    objects: list[dict[str, str]] = json.loads(done.stdout)["objects"]
    return objects


@pytest.mark.needs("dot")
def test_graphviz_draws_the_dot(mixed: Environment) -> None:
    result = hierarchy_of(mixed.manifest, CLOCK)
    objects = _dot(as_dot(result))
    assert [one["label"].partition("\\n")[0] for one in objects] == [node.title for node in result.nodes]


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", [NASTY, "a\\", '"', "\\N", "名前", "<b>x</b>", "a;b{c}->d"])
def test_graphviz_accepts_any_name(name: str) -> None:
    result = hierarchy_of(manifest([authority("root")], [case(name)]), _NOW)
    assert len(_dot(as_dot(result))) == 2


def test_the_mermaid_text_is_a_flowchart_of_the_same_nodes(deep: Environment) -> None:
    lines = as_mermaid(hierarchy_of(deep.manifest, CLOCK)).splitlines()
    assert lines[0] == "flowchart LR"
    assert '  n2["policy-ca<br/>rsa-2048, until 2028-05-31"]:::authority' in lines
    assert "  n1 -. cross .-> n2" in lines
    node = re.compile(r'  n\d+\[{1,2}"[^"\[\]{}<>|]*(?:<br/>[^"\[\]{}<>|]*)*"\]{1,2}:::[a-z]+')
    edge = re.compile(r"  n\d+ (?:-->|-\. cross \.->) n\d+")
    style = re.compile(r"  classDef [a-z]+ [a-z0-9:#,\- ]+")
    assert [line for line in lines[1:] if not any(p.fullmatch(line) for p in (node, edge, style))] == []
