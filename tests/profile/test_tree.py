"""The tree: exact places, scalars as they were written, and limits met before memory is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pkigen.documents import limits
from pkigen.documents.yaml_tree import (
    Items,
    Table,
    Text,
    folder_of,
    from_python,
    locate,
    parse,
    size,
)
from pkigen.errors import InputError, Location
from tests.effort import calls


def _refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse(data, "p.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("NO", "no", "No", "yes", "Yes", "on", "off", "y", "n", "true", "True", "null", "Null", "~"),
        *("0o17", "017", "0x1F", "0b101", "1_000", "+1", "1e3", ".5", ".inf", "-.INF", ".nan"),
        *("10:20:30", "190:20", "2026-01-01", "2026-01-01T00:00:00Z", "=", "1.10", "1.0"),
    ],
)
def test_no_scalar_becomes_a_number_a_boolean_or_a_date(text: str) -> None:
    tree = parse(f"plain: {text}\nquoted: '{text}'\n{text}: key\n".encode(), "p.yaml")
    assert tree == {"plain": text, "quoted": text, text: "key"}
    assert all(type(value) is Text for value in tree.values())


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"a:", ""),
        (b"a: ''", ""),
        (b"a: |\n  x\n  y\n", "x\ny\n"),
        (b"a: >-\n  x\n  y\n", "x y"),
        (b'a: "\\u00e9"', "é"),
        (b"a: x # comment", "x"),
        (b"a: ! x", "x"),
        (b"\xef\xbb\xbfa: x", "x"),
        (b"%YAML 1.1\n---\na: x\n...\n", "x"),
        (b"a: x\r\n", "x"),
    ],
)
def test_a_scalar_is_read_in_each_of_its_styles(data: bytes, value: str) -> None:
    assert parse(data, "p.yaml") == {"a": value}


def test_positions_count_from_one_in_characters() -> None:
    tree = parse("ü: {ö: [a, {b: c}]}\nlist:\n  - d\n".encode(), "p.yaml")
    assert locate(tree, ("ü", "ö", 0)) == Location("p.yaml", 1, 9)
    assert locate(tree, ("ü", "ö", 1, "b")) == Location("p.yaml", 1, 16)
    assert locate(tree, ("ü", "ö")) == Location("p.yaml", 1, 5)
    assert locate(tree, ("list", 0)) == Location("p.yaml", 3, 5)


def test_the_position_of_a_missing_key_is_that_of_its_mapping() -> None:
    tree = parse(b"a:\n  b: {c: d}\n", "p.yaml")
    assert locate(tree, ("a", "b", "nothing")) == locate(tree, ("a", "b")) == Location("p.yaml", 2, 3)
    assert locate(tree, ("a", 7, "b", "c")) == Location("p.yaml", 2, 10)
    assert locate(from_python({"a": "b"}), ("a",)) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "p.yaml:3:1: the key 'a' already occurs in line 1"),
        (b"x: {a: 1, a: 2}\n", "p.yaml:1:11: the key 'a' already occurs in line 1"),
        (b"1: a\n'1': b\n", "p.yaml:2:1: the key '1' already occurs in line 1"),
        (b"a: !!str 5\n", "p.yaml:1:4: the tag tag:yaml.org,2002:str has no meaning here"),
        (b"a: !!binary eA==\n", "p.yaml:1:4: the tag tag:yaml.org,2002:binary has no meaning here"),
        (b"a: !x [b]\n", "p.yaml:1:4: the tag !x has no meaning here"),
        (b"a: 1\n---\nb: 2\n", "p.yaml:2:1: a second document; a profile is one"),
        (b"a: *b\n", "p.yaml:1:4: the alias *b names no anchor before it"),
        (b"a: &a [*a]\n", "p.yaml:1:8: the alias *a names no anchor before it"),
        (b"? {a: b}\n: c\n", "p.yaml:1:3: a key must be plain text"),
        (b"a: &x [1]\n*x : 2\n", "p.yaml:2:1: a key must be plain text"),
        (
            b"a: {<<: {b: c}}\n",
            "p.yaml:1:5: merge keys are not read; 'like' and 'defaults' do their work",
        ),
        (b"- a\n", "p.yaml:1:1: a profile is a mapping of keys to values"),
        (b"", "p.yaml:1:1: a profile is a mapping of keys to values"),
        (b'a: "x\\0y"\n', "p.yaml:1:4: the character U+0000 is not allowed in YAML"),
        (b'a: "x\\uDC80y"\n', "p.yaml:1:"),
        (b"a: b\n\nc: \xff\n", "p.yaml:3:1: not UTF-8 text; save the file as UTF-8"),
    ],
)
def test_yaml_beyond_plain_values_is_rejected_at_its_position(data: bytes, message: str) -> None:
    assert _refused(data).startswith(message)


def test_every_duplicate_key_is_reported() -> None:
    lines = _refused(b"a: 1\na: 2\nb: 1\nb: 2\n").splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "4"]


@pytest.mark.parametrize(("deep", "taken"), [(limits.NESTING - 1, True), (limits.NESTING, False)])
def test_nesting_ends_exactly_at_its_limit(deep: int, taken: bool) -> None:
    data = b"a: " + b"[" * deep + b"]" * deep
    if taken:
        assert size(parse(data, "p.yaml")) == deep + 1
    else:
        assert _refused(data) == f"p.yaml:1:{3 + limits.NESTING}: nested deeper than {limits.NESTING}"


def test_nesting_is_counted_through_aliases() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    assert f"nested deeper than {limits.NESTING}" in _refused("\n".join(lines).encode())


@pytest.mark.parametrize("links", ["[{0}, {0}]", "{{x: {0}, y: {0}}}"])
def test_an_alias_bomb_of_any_kind_is_rejected(links: str) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} {links.format(f'*a{n - 1}')}" for n in range(1, 40)]
    assert f"more than {limits.NODES} nodes once aliases are followed" in _refused("\n".join(lines).encode())


def test_a_file_with_too_many_nodes_is_rejected() -> None:
    assert f"more than {limits.NODES} nodes" in _refused(b"a: [" + b"1," * (limits.NODES + 1) + b"]")


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_the_size_of_a_file_ends_exactly_at_its_limit(more: int, taken: bool) -> None:
    data = b"a: b #" + b"x" * (limits.FILE_BYTES - 6 + more)
    if taken:
        assert parse(data, "p.yaml") == {"a": "b"}
    else:
        assert _refused(data) == f"p.yaml: larger than {limits.FILE_BYTES} bytes"


def test_a_python_mapping_becomes_the_same_tree_as_its_yaml() -> None:
    written = parse(b"a: true\nb: 5\nc:\nd: [x, {e: '1.5'}]\n7: f\n", "p.yaml")
    assert from_python({"a": True, "b": 5, "c": None, "d": ("x", {"e": 1.5}), 7: "f"}) == written


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: "a", "1": "b"}, "two keys of a mapping are the same text"),
        ({"a": {True: 1, "true": 2}}, "two keys of a mapping are the same text"),
        ({"a": 10**5000}, "a value cannot be written as text"),
        ({"a": "x\0"}, "the character U+0000 is not allowed in YAML"),
        ({"\ud800": "x"}, "the character U+D800 is not allowed in YAML"),
    ],
)
def test_a_python_mapping_that_yaml_cannot_express_is_rejected(value: object, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        from_python(value)


def test_a_copy_of_a_mapping_keeps_positions_and_does_not_change_the_original() -> None:
    first = parse(b"a: b\nc: {d: e}\n", "p.yaml")
    copied = first.copy()
    copied.put("x", Text("y"), Location("q.yaml", 9, 9))
    assert locate(copied, ("a",)) == Location("p.yaml", 1, 4)
    assert ("x" in first, "x" in first.key_locations, copied.location) == (False, False, first.location)


def test_a_path_is_relative_to_the_file_that_it_was_written_in() -> None:
    text = parse(b"a: t.csv\n", "below/p.yaml")["a"]
    assert str(folder_of(text, Path("other"))) == "below"
    assert isinstance(from_python(["t"]), Items)
    assert isinstance(from_python({}), Table)


def test_the_effort_of_reading_a_node_does_not_depend_on_its_depth() -> None:
    efforts = []
    for depth in (1, limits.NESTING - 4):
        nested = "[" * depth + ", ".join(["[]"] * 500) + "]" * depth
        efforts.append(calls(lambda: parse(f"a: {nested}".encode(), "p.yaml")))  # noqa: B023
    assert efforts[1] < efforts[0] * 1.2
