"""The index page, and the sign of life."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.serve.conftest import Stub


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _links(page: bytes) -> list[str]:
    parser = _Links()
    parser.feed(page.decode())
    return parser.found


def test_the_index_links_every_url_and_all_of_them_answer(stub: Stub) -> None:
    answer = stub.ask("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = _links(answer.body)
    assert {"/crl/root.crl", "/ca/root.crt", "/healthz"} == set(links)
    assert all(stub.ask(link).status == 200 for link in links)


def test_names_on_the_page_are_text_whatever_they_hold(stub: Stub) -> None:
    name = '<script>alert("1")</script> ü%2e&.crl'.replace("/", "_")
    (stub.www / "crl" / name).write_bytes(b"data")
    page = stub.ask("/").body
    assert b"<script" not in page
    link = next(link for link in _links(page) if "script" in link)
    assert stub.ask(link).body == b"data"


def test_a_name_that_is_not_utf8_does_not_break_the_page(stub: Stub) -> None:
    (stub.www / "crl" / "caf\udce9.crl").write_bytes(b"data")
    page = stub.ask("/").body
    link = next(link for link in _links(page) if "caf" in link)
    assert stub.ask(link).body == b"data"


def test_the_page_loads_nothing_from_elsewhere(stub: Stub) -> None:
    answer = stub.ask("/")
    assert not re.search(rb"https?://|src=|@import|url\(", answer.body)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_environment_without_files_says_so(stub: Stub) -> None:
    for path in ("crl/root.crl", "ca/root.crt"):
        (stub.www / path).unlink()
    assert b"Nothing is published yet" in stub.ask("/").body


def test_the_sign_of_life_is_never_cached(stub: Stub) -> None:
    answer = stub.ask("/healthz")
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (200, b"ok\n", "no-store")
