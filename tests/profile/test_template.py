"""Strings are templates in a sandbox: undefined names are errors, and nothing runs long or grows big."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pkigen.documents import limits
from pkigen.profile.template import render
from tests.effort import calls
from tests.profile.documents import certificates, refused_certificates


def _cn(folder: Path, template: str) -> str:
    quoted = template.replace("'", "''")
    return dict(
        certificates(folder, f"a-07: {{issuer: root, subject: {{CN: '{quoted}'}}}}\n")["a-07"].subject
    )["CN"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ name }}.test", "a-07.test"),
        ("{{name}}{{  name  }}", "a-07a-07"),
        ("{{ name | upper }}", "A-07"),
        ("{{ name.split('-')[1] | int + 10 }}", "17"),
        ("{{ 'x' if index | int == 1 else 'y' }}", "x"),
        ("{{ environment }}", "test"),
        ("{ name }", "{ name }"),
        ("{{ name ~ '.test' }}", "a-07.test"),
    ],
)
def test_a_template_has_the_expected_result(tmp_path: Path, template: str, expected: str) -> None:
    assert _cn(tmp_path, template) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ nane }}",
        "{{ nane | upper }}",
        "{{ name.nothing }}",
        "{{ name[99] }}",
        "{{ }}",
        "{{ name",
        "{% if %}",
        "{{ 1 // 0 }}",
        "{{ name + 1 }}",
        "{{ name | nofilter }}",
        "{{ name is notest }}",
        "{{ nane if false }}{{ nane }}",
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ name.format('x') }}",
        "{{ self }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{{ namespace() }}",
    ],
)
def test_an_invalid_template_is_an_error_at_its_line(tmp_path: Path, template: str) -> None:
    quoted = template.replace("'", "''")
    errors = refused_certificates(tmp_path, f"a: {{issuer: root, subject: {{CN: '{quoted}'}}}}\n")
    assert "test.yaml:6:" in errors
    assert "subject" in errors


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% for a in range(10 ** 9) %}x{% endfor %}",
        "{% for a in 'x' * 4000 %}{% for b in 'x' * 4000 %}x{% endfor %}{% endfor %}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ name.ljust(10 ** 9) }}",
        "{{ name.center(999999999) }}",
        "{{ name | center(999999999) }}",
        "{{ [name] * 999999999 }}",
        "{{ name | indent(999999999) }}",
        "{% set a = 'x' * 4000 %}{% set a = a ~ a ~ a ~ a %}{{ a }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "-" * 3900 + "1 }}",
        "{{ " + "name.replace('', name)" + ".replace('', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 60 + " }}",
        "{{ name" + " | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 50 + " }}",
    ],
)
def test_a_template_bomb_is_rejected_at_once(tmp_path: Path, template: str) -> None:
    quoted = template.replace("'", "''")
    errors = ""

    def load() -> None:
        nonlocal errors
        errors = refused_certificates(tmp_path, f"a-a-a-a: {{issuer: root, subject: {{CN: '{quoted}'}}}}\n")

    assert calls(load) < 2_000_000
    assert "test.yaml:6:" in errors


@pytest.mark.parametrize(
    ("template", "text"),
    [("{{ 3 * 4 }}", "12"), ("{{ 7 % 4 }}", "3"), ("{{ index | int * 10 }}", "50"), ("{{ 'a' * 3 }}", None)],
)
def test_only_numbers_are_multiplied(template: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(ValueError, match=r"'\*' is for numbers"):
            render(template, {"index": "5"})
    else:
        assert render(template, {"index": "5"}) == text


def test_template_value_and_result_have_one_limit() -> None:
    most = limits.RENDERED_CHARACTERS
    assert render("{{ a }}", {"a": "x" * most}) == "x" * most
    for template, value in (
        ("{{ a }}" * (most // 7 + 1), ""),
        ("{{ a }}", "x" * (most + 1)),
        ("{{ a }}y", "x" * most),
    ):
        with pytest.raises(ValueError, match="long"):
            render(template, {"a": value})


def test_a_long_result_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"host,text\na,{'x' * 4097}\n")
    errors = refused_certificates(
        tmp_path, '"a-{{ host }}": {each: t.csv, issuer: root, subject: {CN: "{{ text }}"}}\n'
    )
    assert "4" in errors


def test_a_value_from_a_table_is_never_a_template_itself(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("host,text\na,{{ host }}\nb,{% if %}\n")
    text = (
        '"a-{{ host }}": {each: t.csv, issuer: root, subject: {CN: "{{ text }}", O: "{{ text | upper }}"}}\n'
    )
    specs = certificates(tmp_path, text)
    assert dict(specs["a-a"].subject) == {"CN": "{{ host }}", "O": "{{ HOST }}"}
    assert dict(specs["a-b"].subject)["CN"] == "{% if %}"


def test_a_passphrase_is_in_no_message(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "a: {issuer: root, passphrase: 'hunter2 {{ nane }}', key: bad}\n")
    assert "hunter2" not in errors
    spec = certificates(tmp_path, "a: {issuer: root, passphrase: hunter2, pkcs12: {passphrase: hunter2}}\n")[
        "a"
    ]
    assert spec.passphrase == b"hunter2"
    assert "hunter2" not in repr(spec)


def test_simple_variables_load_neither_the_template_engine_nor_the_fault_catalog(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_text('name: t\ncertificates: {"a-{1..3}": {issuer: self, subject: {CN: "{{ name }}.test"}}}\n')
    program = (
        "import sys; from pkigen.profile import load; "
        "list(load(sys.argv[1]).certificates()); "
        "print({'jinja2', 'pkigen.faults.catalog'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
