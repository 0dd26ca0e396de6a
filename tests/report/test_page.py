"""The page: all is on it, nothing is loaded, no key is in it, and it stays small and quick."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pkigen import BuildOptions, Environment, build
from pkigen.clock import utc_now
from pkigen.errors import InputError
from pkigen.report import (
    ReportOptions,
    as_page,
    collect_page_data,
    read_matrix_results,
)
from pkigen.requirements import load_set
from tests.effort import calls
from tests.environment.fleets.profiles import build_fleet
from tests.report.conftest import CLOCK
from tests.report.test_drawings import NASTY

_VOID = {"meta", "link", "input", "br"}


class _Reader(HTMLParser):
    """The ids of a page, its links, its text, and whether every element ends where it should."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids = list[str]()
        self.links = set[str]()
        self.elsewhere = list[str]()
        self.rows = dict[str, dict[str, str]]()
        self._open = list[str]()
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        result = {key: value or "" for key, value in attrs}
        if "id" in result:
            self.ids.append(result["id"])
        for key in ("href", "src", "action"):
            value = result.get(key, "")
            if value.startswith("#"):
                self.links.add(value[1:])
            elif value and value != "data:,":
                self.elsewhere.append(value)
        if "data-v" in result:
            self.rows[result["id"]] = result
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture(scope="module")
def page(mixed: Environment) -> str:
    return as_page(collect_page_data(mixed.folder, ReportOptions(now=CLOCK)))


def test_the_page_is_complete_and_every_link_has_a_target(page: str) -> None:
    read = _Reader(page)
    assert len(read.ids) == len(set(read.ids))
    assert read.links <= set(read.ids)
    assert read.elsewhere == []
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_page_has_every_authority_and_certificate(mixed: Environment, page: str) -> None:
    read = _Reader(page)
    names = [case.name for case in mixed.cases()]
    assert list(read.rows) == [f"c{place}" for place in range(len(names))]
    assert all(f"<b>{one['name']}</b>" in page for one in mixed.manifest["authorities"])
    assert all(f"<b>{name}</b>" in page for name in names)


def test_filters_select_rows(mixed: Environment, page: str) -> None:
    rows = dict(zip([case.name for case in mixed.cases()], _Reader(page).rows.values(), strict=True))
    output = {name: (row["data-v"], row["data-f"], row["data-m"].split()) for name, row in rows.items()}
    assert output["sensor-01"] == ("accept", "", ["sound"])
    assert output["retired"] == ("reject", "", ["revoked", "sound"])
    assert output["console.expired"] == ("reject", "validity", ["broken", "expired"])
    assert output["console.san-wrong-host"][:2] == ("reject", "san")
    assert {row[1] for row in output.values()} == {"", "validity", "san", "defender-iot"}


def test_the_page_has_the_findings_of_check(mixed: Environment, page: str) -> None:
    assert "22 of 22</span> certificates satisfy" in page
    cases = sum("fault" in case.data for case in mixed.cases())
    assert f"{cases} of {cases}</span> cases violate exactly" in page
    assert "This SSL certificate has expired and isn&#39;t considered valid." in page
    strict = collect_page_data(mixed.folder, ReportOptions(now=CLOCK, sets=(load_set("web-server"),)))
    later = collect_page_data(mixed.folder, ReportOptions(now=CLOCK.replace(year=2029)))
    assert [one.name for one in strict.demands] == ["web-server"]
    assert "sensor-01" in [row.name for row in later.surprises]
    assert "finding</span>" in as_page(later)


def test_the_page_contains_no_key(mixed: Environment, page: str) -> None:
    for case in mixed.cases():
        lines = case.key.read_text("latin-1").splitlines()
        assert not any(line in page for line in lines if len(line) > 30)


def test_every_revocation_is_marked_in_the_timeline(mixed: Environment, page: str) -> None:
    revoked = sum(case.data["revoked"] is not None for case in mixed.cases())
    assert page.count('<path class="gone"') == page.count('<rect class="over"') == revoked > 0


def test_the_page_has_the_verdicts_of_validators(mixed: Environment, tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        {"word": "refuse", "words": "certificate has expired", "differs": False, "known": None},
        {"word": "accept", "words": "", "differs": True, "known": {"kind": "lax", "reason": "it looks away"}},
        {"word": "blind", "words": "", "differs": False, "known": None},
    ]
    output = {
        "columns": [{"name": name, "version": "3.5"} for name in ("openssl", "other", "third")],
        "rows": [{"name": "console.expired", "cells": cells}],
    }
    (tmp_path / "matrix.json").write_text(json.dumps(output))
    answers = read_matrix_results(tmp_path / "matrix.json")
    page = as_page(collect_page_data(mixed.folder, ReportOptions(now=CLOCK, matrix_results=answers)))
    assert "1 of 2 reject" in page
    assert "<b>openssl</b>: refuse, certificate has expired" in page
    assert "it looks away" in page


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"columns": [], "rows": 3}', '{"columns": [], "rows": [{"name": "a", "cells": [1]}]}'],
)
def test_a_file_that_is_no_matrix_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "matrix.json").write_text(text)
    with pytest.raises(InputError, match="pkigen matrix ENV --json"):
        read_matrix_results(tmp_path / "matrix.json")
    with pytest.raises(InputError, match="cannot read"):
        read_matrix_results(tmp_path / "none.json")


def test_texts_of_a_certificate_are_never_markup(tmp_path: Path) -> None:
    built = build(
        {
            "name": "nasty",
            "defaults": {"key": "ec-p256"},
            "authorities": {
                "root": {"subject": {"CN": "<img src=x onerror=alert(1)>", "O": "{{ '{{' }} 7*7"}}
            },
            "certificates": {
                "a": {
                    "issuer": "root",
                    "subject": {"CN": "</script><script>alert(1)</script>"},
                    "san": ['uri:http://x.test/?a="><b>'],
                }
            },
        },
        tmp_path,
    )
    page = as_page(collect_page_data(built.folder, ReportOptions()))
    _Reader(page)
    assert "<img" not in page
    assert page.count("<script>") == page.count("</script>") == 1
    assert NASTY not in page


def test_the_page_of_a_thousand_certificates_is_small_and_needs_few_calls(
    tmp_path: Path,
) -> None:
    profile = {
        "name": "fleet",
        "requirements": ["web-server"],
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {
            "sensor-{0001..1000}": {"issuer": "issuing", "subject": {"CN": "{{ name }}.contoso.test"}},
        },
    }
    built = build(profile, tmp_path, BuildOptions(keys="pool"))
    pages = []
    assert calls(lambda: pages.append(as_page(collect_page_data(built.folder, ReportOptions())))) < 8_000_000
    assert len(pages[0]) < 2_000_000


def test_the_page_has_the_fleets_of_an_environment(tmp_path: Path) -> None:
    faults, revoked = {"every": "5", "of": ["expired"]}, {"every": "10", "reason": "keyCompromise"}
    folder = build_fleet(tmp_path, faults=faults, revoked=revoked).folder
    page = as_page(collect_page_data(folder, ReportOptions(now=utc_now())))
    read = _Reader(page)
    assert read.links <= set(read.ids)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page[page.index('id="fleets"') :])
    assert [re.sub("<[^>]*>", "", cell) for cell in cells[:8]] == [
        *("meter", "issuing", "20", "3", "2 (keyCompromise)", "4 (expired)", "ec-p256", "jsonl")
    ]
    assert "<b>20</b>in fleets" in page
