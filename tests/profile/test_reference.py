"""The reference of the profile language: values in words, sections of keys, and their text."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from pkigen.profile.reference import keys, plain_text, section, sections_of, words


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({"type": "string", "description": "a URL"}, "a URL"),
        ({"type": ["string", "null"], "description": "one, two, three"}, "`one`, `two`, `three`"),
        ({"type": "array", "items": {"type": "string"}}, "a list of strings"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "`true` or `false` or `null`"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "a number from 1 to 9"),
        ({"enum": ["key", "name"]}, "`key`, `name`"),
    ],
)
def test_a_schema_is_described_as_text(node: dict[str, Any], text: str) -> None:
    assert words.value(node, {}) == text


def test_texts_of_the_program_are_escaped() -> None:
    assert words.escaped("<b> *a* | `x_y`") == "&lt;b&gt; &#42;a&#42; &#124; <code>x&#95;y</code>"


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({}, ""),
        ({"default": None}, ""),
        ({"default": []}, ""),
        ({"default": True}, "`true`"),
        ({"default": 5}, "`5`"),
        ({"default": {"text": "397d", "months": 0}}, "`397d`"),
        ({"default": {"names": []}}, ""),
    ],
)
def test_a_default_is_described_as_it_is_written(node: dict[str, Any], text: str) -> None:
    assert words.default(node) == text


def test_an_anchor_has_lowercase_words_and_hyphens() -> None:
    assert words.anchor("entity", "Key_usage (RFC)") == "entity-key-usage-rfc"


def test_a_section_has_heading_facts_description_and_example() -> None:
    text = sections_of("renew")["entity"]
    heading, _, facts, mark, _, *rest = text.splitlines()
    assert (heading, mark) == ("### `renew` { #renew }", "{ .facts }")
    assert facts.startswith("a length of time such as")
    assert "```" not in text
    lines = sections_of("san")["entity"].splitlines()
    first = lines.index("```yaml")
    assert lines[first + 1].startswith("san:")
    assert lines[-1] == "```"
    assert rest


def test_a_mapping_has_its_table_once_and_then_a_link_to_it() -> None:
    text = section("entity")
    link = "[`crl_distribution_points`](#crl-distribution-points)"
    assert text.count(f"As a mapping, it has the keys of {link}.\n") == 1
    assert text.count("| `crl_issuer` |") == 1
    section_of_link = text[text.index("### `freshest_crl`") : text.index(link)]
    assert section_of_link.count("\n### ") == 0
    assert "{ .facts }" in section_of_link
    lines = text.splitlines()
    assert {line for before, line in pairwise(lines) if before.startswith("| `") and line[:1] != "|"} == {""}


def test_a_key_has_a_section_in_each_part_that_contains_it() -> None:
    assert sections_of("nothing") == {}
    assert list(sections_of("issuer")) == ["authority", "certificate"]
    with pytest.raises(ValueError, match="unknown part of a profile 'nothing'; the parts are head, entity"):
        section("nothing")


def test_a_key_is_listed_with_the_first_sentence_of_its_description() -> None:
    listed = keys("head")
    assert listed["name"]
    assert not any(text.endswith(".") or "`" in text or "\n" in text for text in listed.values())


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("---\na: b\n---\n\n# Title { #t }\n\nSee [the *page*](x.md).\n", "Title\n=====\n\nSee the *page*."),
        ("| key | value |\n|---|---|\n| `a` | b &lt; c |\n", "`a`: b < c"),
        ("| key | value | why |\n|---|---|---|\n| a | b | |\n", "a\n      value: b"),
        ("```yaml\na:\n  - b\n```\n", "a:\n      - b"),
        ("one\ntwo &amp; three\n\n- item\n", "one two & three\n\n- item"),
        ("## A *b*\n### c\n```\nd\n\ne\n```\nf\n", "A *b*\n-----\n\nc\n\n    d\n\n    e\n\nf"),
        ("| a | b |\n|---|---|\n| c | |\n\nd\n", "c:\n\nd"),
        (
            f"- {'word ' * 18}two-parts and {'x' * 120} rest",
            f"- {'word ' * 18}\n  two-parts and\n  {'x' * 120}\n  rest".replace(" \n", "\n"),
        ),
        (
            f"| a | b | c |\n|---|---|---|\n| d | {'word ' * 25} | |",
            f"d\n      b: {'word ' * 18}\n        {'word ' * 6}word".replace(" \n", "\n"),
        ),
        ('<dl class="fault"><dt>Clause</dt><dd>4.1<br>4.2</dd></dl>', "Clause: 4.1; 4.2"),
    ],
)
def test_markdown_becomes_text(markdown: str, expected: str) -> None:
    assert plain_text(markdown).strip() == expected
