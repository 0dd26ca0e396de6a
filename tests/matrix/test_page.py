"""The page of a matrix in a real browser: filters, words, keys, and nothing from a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pkigen.environment.environment import Environment
from pkigen.matrix import VALIDATORS, Column, known_differences, reports, subjects_of, survey

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.needs("chromium", "openssl")


@pytest.fixture
def page(environment: Environment, tmp_path: Path) -> Iterator[Page]:
    """The page of a small matrix; whatever it asks for and every error in it fails the test."""
    from playwright.sync_api import sync_playwright

    columns = [Column(one, one.version() or "") for one in VALIDATORS if one.name in ("openssl", "pyca")]
    matrix = survey(subjects_of(environment), columns, known_differences(), complete=False)
    data = reports.as_json(matrix, "matrix", environment.manifest["clock"], [])
    data["rows"][0]["says"] = "</script><script>alert(1)</script>"
    path = tmp_path / "matrix.html"
    path.write_text(reports.html(data), "utf-8")
    wrong: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=("--no-sandbox",))
        page = browser.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on(
            "request", lambda request: None if request.url.startswith("file:") else wrong.append(request.url)
        )
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert [words for words in wrong if not words.startswith("data:")] == []


def test_a_click_opens_the_message_and_keys_move_in_the_table(page: Page) -> None:
    page.locator("td[aria-label^='openssl: refuses']").first.click()
    detail = page.locator("#detail")
    assert "openssl" in detail.locator(".asked dt").inner_text()
    assert detail.locator(".asked .words").inner_text()
    page.keyboard.press("ArrowRight")
    assert "pyca" in detail.locator(".asked dt").inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.tagName") == "TD"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "detail"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "TD"


def test_filters_select_matching_rows(page: Page) -> None:
    count = page.locator("#count")
    assert count.inner_text() == "6 of 6 cases"
    page.select_option("select[name=family]", "validity")
    assert count.inner_text() == "1 of 6 cases"
    page.select_option("select[name=verdict]", "refuse")
    assert count.inner_text() == "1 of 6 cases"
    page.select_option("select[name=verdict]", "accept")
    assert count.inner_text() == "0 of 6 cases"
    page.select_option("select[name=family]", "")
    page.select_option("select[name=verdict]", "")
    page.fill("input[name=text]", "has expired")
    assert count.inner_text() == "1 of 6 cases"
