"""Templates: no value breaks out of its place, and no template out of the sandbox."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pkigen.errors import InputError
from pkigen.export import FLEET_TARGETS, TARGETS, shipped_template
from pkigen.export import template as rendering_module
from pkigen.export.template import Templates
from tests.export.conftest import Export

_TEXT = st.text(max_size=40) | st.sampled_from(["", "a\nb", "a;b", "}", "'", '"', "\\", "#", "$x", "\u2019"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    for name in ("json", "comment", "powershell", "base64"):
        (folder / f"{name}.j2").write_text("{{ value | " + name + " }}")
    (folder / "bare.j2").write_text("{{ value }}")
    return folder


@given(value=_TEXT)
@example("../x y")
def test_an_unquoted_value_has_no_special_meaning_in_any_syntax(folder: Path, value: str) -> None:
    try:
        text = Templates(folder).render("bare.j2", {"value": value})
    except InputError:
        return
    assert text == value
    assert value.isascii()
    assert not set(value) & set(" \t\n\r\"'\\;{}()#$`|&<>=,!%~^?")


@given(value=_TEXT)
def test_json_is_read_back_by_json_and_by_yaml(folder: Path, value: str) -> None:
    text = Templates(folder).render("json.j2", {"value": value})
    assert json.loads(text) == value
    if not any(0xD800 <= ord(c) <= 0xDFFF or ord(c) > 0xFFFF for c in value):
        assert yaml.safe_load(f"- {text}") == [value]


@given(value=_TEXT)
def test_a_comment_does_not_continue_on_the_next_line(folder: Path, value: str) -> None:
    text = Templates(folder).render("comment.j2", {"value": value})
    assert len(f"# {text}|".splitlines()) == 1
    assert not text.endswith("\\")


@given(value=_TEXT)
def test_a_powershell_string_cannot_end_early(folder: Path, value: str) -> None:
    try:
        text = Templates(folder).render("powershell.j2", {"value": value})
    except InputError:
        assert not value.isprintable()
        return
    inner, quotes = text[1:-1], "'\u2018\u2019\u201a\u201b"
    assert text[0] == text[-1] == "'"
    assert not [run for quote in quotes for run in inner.split(quote * 2) if quote in run]


@given(value=st.binary(max_size=50))
def test_base64_is_read_back(folder: Path, value: bytes) -> None:
    assert b64decode(Templates(folder).render("base64.j2", {"value": value})) == value


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ value.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{% include '../secret.j2' %}",
        "{% include '/etc/passwd' %}",
        "{{ [].append(1) }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{{ nothing }}",
        "{{ value.nothing }}",
        "{{ 1 / 0 }}",
        "{% if %}",
        "{{ value | nothing }}",
        "\n{{ 'a b' }}",
    ],
)
def test_an_invalid_template_is_reported_with_its_position(tmp_path: Path, template: str) -> None:
    (tmp_path / "secret.j2").write_text("secret")
    own = tmp_path / "own"
    own.mkdir()
    (own / "x.j2").write_text(template)
    with pytest.raises(InputError, match=r"x\.j2") as caught:
        Templates(own).render("x.j2", {"value": "v"})
    assert "secret" not in str(caught.value).replace("secret.j2", "")


def test_the_line_is_reported(tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_text("one\n\n{{ value }}\n")
    with pytest.raises(InputError, match=r"x\.j2:3:1: 'a b' must be quoted by a filter"):
        Templates(tmp_path).render("x.j2", {"value": "a b"})


def test_a_template_of_the_user_takes_precedence_over_the_shipped_one(
    exported: Export, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = shipped_template("nginx.conf.j2").replace("events {}", "events {}\nworker_priority 1;")
    (own / "nginx.conf.j2").write_text(text)
    folder = exported("nginx", templates=own).folder
    assert "worker_priority 1;" in (folder / "nginx.conf").read_text()


def test_a_template_can_include_the_shipped_one(exported: Export, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "trust.yaml.j2").write_text("# Mine\n{% include 'shipped/trust.yaml.j2' %}")
    text = (exported("kubernetes", templates=own).folder / "trust.yaml").read_text()
    assert text.startswith("# Mine\n")
    assert yaml.safe_load(text)["kind"] == "ConfigMap"


@pytest.mark.parametrize(
    ("target", "words"), [("nginx", "this target uses nginx.conf.j2"), ("limbo", "uses no templates")]
)
def test_a_directory_without_a_template_of_the_target_is_reported(
    exported: Export, tmp_path: Path, target: str, words: str
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "ngnix.conf.j2").touch()
    with pytest.raises(InputError, match=words):
        exported(target, templates=tmp_path / "own")
    with pytest.raises(InputError, match="not a directory"):
        exported(target, templates=tmp_path / "none")


def test_every_shipped_template_has_a_target_and_vice_versa() -> None:
    shipped = {path.name for path in (Path(rendering_module.__file__).parent / "templates").iterdir()}
    every = (*TARGETS.values(), *FLEET_TARGETS.values())
    assert {name for one in every for name in one.templates} == shipped


def test_an_unknown_template_is_reported() -> None:
    with pytest.raises(
        InputError, match=r"unknown template \.\./rendering\.py; the templates are Caddyfile\.j2"
    ):
        shipped_template("../rendering.py")
