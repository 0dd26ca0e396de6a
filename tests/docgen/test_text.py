"""The reference pages as text: those in the checkout are those of the program."""

from __future__ import annotations

import re

import pytest

from docgen import text
from pkigen.profile.reference import plain_text


@pytest.mark.parametrize("name", text.PAGES)
def test_a_text_page_is_up_to_date(name: str) -> None:
    assert (text.FOLDER / f"{name}.txt").read_text("utf-8") == text.page_text(name), "run `make reference`"


def test_a_text_page_has_neither_markup_nor_links() -> None:
    for name in text.PAGES:
        assert re.findall(r"</|\]\(|\{ [.#]|<!--", (text.FOLDER / f"{name}.txt").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("---\na: b\n---\n\n# Title { #t }\n\nSee [the *page*](x.md).\n", "Title\n=====\n\nSee the *page*."),
        ("| key | value |\n|---|---|\n| `a` | b &lt; c |\n", "`a`: b < c"),
        ("| key | value | why |\n|---|---|---|\n| a | b | |\n", "a\n      value: b"),
        ("```yaml\na:\n  - b\n```\n", "a:\n      - b"),
        ('<dl class="fault"><dt>Clause</dt><dd>4.1<br>4.2</dd></dl>', "Clause: 4.1; 4.2"),
    ],
)
def test_markdown_becomes_text(markdown: str, expected: str) -> None:
    assert plain_text(markdown).strip() == expected
