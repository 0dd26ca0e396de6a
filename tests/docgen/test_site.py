"""The documentation site: it builds strictly and without a network, and has what the program has."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import pkigen
from docgen import commands
from pkigen.environment.manifest.schema import json_schema as manifest_schema
from pkigen.faults import ENROLMENT_FAULTS, FAULTS
from pkigen.profile.schema import json_schema as profile_schema
from tests.tools import ROOT, python

NOWHERE = "http://127.0.0.1:9"


class _Page(HTMLParser):
    """The ids of a page, and what a browser fetches for it by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids = list[str]()
        self.fetched = list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        result = {name: value or "" for name, value in attrs}
        if "id" in result:
            self.ids.append(result["id"])
        if tag != "a":
            rel = result.get("rel", "stylesheet")
            self.fetched += [result.get("src", ""), result.get("href", "") if rel != "canonical" else ""]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it; whatever would ask a network asks where nobody is."""
    folder = tmp_path_factory.mktemp("site")
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    python("-m", "mkdocs", "build", "--strict", "--site-dir", folder, cwd=ROOT, environ=proxies)
    return folder


def _page(site: Path, name: str) -> _Page:
    return _Page((site / name).read_text("utf-8"))


def test_a_browser_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    fetched = {url for path in pages for url in _Page(path.read_text("utf-8")).fetched}
    assert "../assets/site.css" in fetched
    assert {url for url in fetched if "//" in url} == set()
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)|@import", styles) == []


def test_every_fault_is_in_the_catalog(site: Path) -> None:
    ids = [
        one
        for path in (site / "reference/faults").glob("*.html")
        for one in _Page(path.read_text("utf-8")).ids
    ]
    assert [fault for fault in (*FAULTS, *ENROLMENT_FAULTS) if ids.count(fault) != 1] == []


def test_every_link_to_a_fault_has_a_target(site: Path) -> None:
    for page, below in (("reference/faults.html", ""), ("matrix.html", "reference/")):
        text = (site / page).read_text("utf-8")
        links = set(re.findall(rf'href="{below}faults/([a-z0-9-]+)\.html#([^"]+)"', text))
        assert len(links) > 400
        ids = {family: _page(site, f"reference/faults/{family}.html").ids for family, _ in links}
        assert [link for link in links if link[1] not in ids[link[0]]] == []


def test_the_catalog_has_the_text_of_the_command(site: Path) -> None:
    text = (site / "reference/faults/validity.html").read_text("utf-8")
    entry = text.partition('<h2 id="expired">')[2].partition("<h2")[0]
    for output in (
        "The certificate expired",
        "RFC 5280, 6.1.3 (a)(2)",
        "openssl, openssl-strict, gnutls",
        "not-ended",
    ):
        assert output in entry


def test_every_command_is_on_the_site(site: Path) -> None:
    ids = _page(site, "reference/commands.html").ids
    names = [name.removeprefix("pkigen ").replace(" ", "-") for name, _ in commands.known()]
    assert {"build", "lab-up", "faults"} <= set(names)
    assert [name for name in names if name not in ids] == []


def test_every_key_of_a_profile_is_on_the_site(site: Path) -> None:
    ids = _page(site, "reference/profile.html").ids
    bodies = profile_schema()["$defs"]
    keys = {*profile_schema()["properties"]}
    keys |= {key for body in ("AuthoritySpec", "CertificateSpec") for key in bodies[body]["properties"]}
    prefixes, places = ("", "authority-", "certificate-"), {key: key.replace("_", "-") for key in keys}
    result = {key for key, place in places.items() if any(prefix + place in ids for prefix in prefixes)}
    assert result == keys


def test_every_object_of_the_manifest_is_on_the_site(site: Path) -> None:
    ids = _page(site, "reference/manifest.html").ids
    assert [name for name in manifest_schema()["$defs"] if name.lower() not in ids] == []


def test_every_public_name_is_on_the_site(site: Path) -> None:
    ids = _page(site, "reference/python.html").ids
    public = [name for name in pkigen.__all__ if not any(one.endswith(f".{name}") for one in ids)]
    assert public == []


def test_no_page_has_two_anchors_of_one_name(site: Path) -> None:
    twice = {}
    for path in site.rglob("*.html"):
        ids = _Page(path.read_text("utf-8")).ids
        twice[path.name] = [one for one in set(ids) if ids.count(one) > 1 and not one.startswith("__")]
    assert {name: ids for name, ids in twice.items() if ids} == {}


def test_the_search_finds_every_page(site: Path) -> None:
    index = (site / "search/search_index.json").read_text("utf-8")
    assert "reference/faults/validity.html#expired" in index
    assert "reference/profile.html#san" in index


@pytest.mark.parametrize(
    ("word", "page"),
    [
        ("mtls", "how-to/mutual-tls.html"),
        ("pfx", "how-to/convert.html"),
        ("radius", "how-to/radius.html"),
        ("rotate", "how-to/rotate-root.html"),
        ("pytest-pkigen", "pytest.html"),
        ("trustme", "how-to/migrate.html"),
    ],
)
def test_a_search_finds_the_page_of_a_task_by_its_title(site: Path, word: str, page: str) -> None:
    index = json.loads((site / "search" / "search_index.json").read_bytes())
    titles = {entry["location"]: entry["title"].lower() for entry in index["docs"]}
    assert word in titles[page]
