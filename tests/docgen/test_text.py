"""The reference pages as text: those in the checkout are those of the program."""

from __future__ import annotations

import re

import pytest

from docgen import text


@pytest.mark.parametrize("name", text.PAGES)
def test_a_text_page_is_up_to_date(name: str) -> None:
    assert (text.FOLDER / f"{name}.txt").read_text("utf-8") == text.page_text(name), "run `make reference`"


def test_a_text_page_has_neither_markup_nor_links() -> None:
    for name in text.PAGES:
        assert re.findall(r"</|\]\(|\{ [.#]|<!--", (text.FOLDER / f"{name}.txt").read_text("utf-8")) == []
