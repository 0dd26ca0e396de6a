"""The index page and the health check."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import open_environment
from pkigen.serve.http.app import application
from pkigen.serve.http.index_page import MOST_ROWS
from pkigen.serve.http.server import background, listen
from pkigen.x509 import CertificateList
from tests.serve.conftest import Stub


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _links(page: bytes) -> list[str]:
    parser = _Links()
    parser.feed(page.decode())
    return parser.links


def test_the_index_links_every_url_and_all_of_them_answer(stub: Stub) -> None:
    answer = stub.ask("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = _links(answer.body)
    assert {"/crl/root.crl", "/ca/root.crt", "/healthz"} == set(links)
    assert all(stub.ask(link).status == 200 for link in links)


def test_file_names_are_escaped(stub: Stub) -> None:
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


def test_the_page_loads_no_external_resource(stub: Stub) -> None:
    answer = stub.ask("/")
    assert not re.search(rb"""=["']?https?://|src=|@import|url\(""", answer.body)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def _page_of(days: float, tmp_path: Path, tls_port: int | None = None) -> str:
    """The page of a built environment, so many days after the build."""
    folder = build(PROFILE, tmp_path).folder
    (folder / "www/crl/html.crl").write_bytes(b"<html>")
    at = datetime.now(UTC) + timedelta(days=days)
    app = application(open_environment(folder), lambda: at, tls_port)
    with listen("127.0.0.1", 0) as listener, background(app, listener):
        return Stub(folder, listener.url).ask("/").body.decode()


PROFILE = {
    "name": "shown",
    "base_url": "http://pki.contoso.test/lab",
    "authorities": {"root": {"key": "ec-p256", "subject": {"CN": "Contoso <Root> CA"}}},
    "certificates": {
        "sensor": {"issuer": "root", "key": "ec-p256", "san": ["dns:sensor.test", "dns:*.edge.test"]},
        "address": {"issuer": "root", "key": "ec-p256", "san": ["ip:127.0.0.1"]},
    },
}


def test_the_page_shows_the_owner_and_the_validity_of_a_file(tmp_path: Path) -> None:
    page = _page_of(0, tmp_path)
    crl = CertificateList((tmp_path / "shown/www/crl/root.crl").read_bytes())
    assert crl.next_update is not None
    for text in (f"{crl.this_update:%Y-%m-%d %H:%M:%S}", f"{crl.next_update:%Y-%m-%d %H:%M:%S}"):
        assert text in page
    for text in ("Contoso &lt;Root&gt; CA", "No. 1", "0 entries", "CA certificate", "Not a CRL in DER"):
        assert text in page
    for path in ("crl/root.crl", "ca/root.crt", "ocsp"):
        assert f"<code>http://pki.contoso.test/lab/{path}</code>" in page
    assert "Expired" not in page
    assert "Not yet valid" not in page
    assert "TLS endpoints" not in page


@pytest.mark.parametrize(
    ("days", "marks"),
    [(30, {"Past its next update"}), (36_500, {"Past its next update", "Expired"}), (-30, {"Not yet valid"})],
)
def test_expired_and_not_yet_valid_files_are_marked(days: float, marks: set[str], tmp_path: Path) -> None:
    page = _page_of(days, tmp_path)
    assert set(re.findall(r'class="?mark[^>]*>([^<]*)<', page)) == {*marks, "Not a CRL in DER"}


def test_tls_endpoints_are_listed_with_their_case(tmp_path: Path) -> None:
    page = _page_of(0, tmp_path, tls_port=8443)
    rows = re.findall(r"<code>(https:[^<]*)</code></td><td>([^<]*)<", page)
    assert rows == [
        ("https://sensor.test:8443/", "sensor: accept"),
        ("https://any.edge.test:8443/", "sensor: accept"),
    ]


def test_many_files_are_listed_on_pages_that_state_how_many_remain(stub: Stub) -> None:
    for number in range(1000):
        (stub.www / f"crl/{number:04}.crl").write_bytes(b"data")
    links, page = set[str](), b'<a href="/?page=1">Next</a>'
    while later := re.search(rb'href="(/\?page=\d+)">Next', page):
        page = stub.ask(later[1].decode()).body
        crls = {link for link in _links(page) if link.startswith("/crl/")}
        assert len(crls) <= MOST_ROWS
        links |= crls
    assert len(links) == 1001
    assert b"752 more" in stub.ask("/").body
    for strange in ("0", "-1", "x", "99999999", "9" * 100, "%b2"):
        assert stub.ask(f"/?page={strange}").status == 200


def test_an_environment_without_files_says_so(stub: Stub) -> None:
    for path in ("crl/root.crl", "ca/root.crt"):
        (stub.www / path).unlink()
    assert b"Nothing is published yet" in stub.ask("/").body


def test_the_health_check_is_never_cached(stub: Stub) -> None:
    answer = stub.ask("/healthz")
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (200, b"ok\n", "no-store")
