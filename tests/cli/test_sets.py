"""pkigen sets: lists, shows and compares requirement sets, and finds those that files satisfy."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pkigen.documents.shipped import requirement_sets
from pkigen.requirements import load_declared
from tests.cli.conftest import Cli


def test_the_list_has_every_shipped_set_once(cli: Cli) -> None:
    lines = cli("sets").out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(requirement_sets())
    assert max(map(len, lines)) <= 80


def test_search_lists_only_sets_that_mention_the_word(cli: Cli) -> None:
    names = [one["name"] for one in json.loads(cli("sets", "--search", "WILDCARD", "--json").out)]
    assert "defender-iot" in names
    assert "rfc5280" not in names
    outcome = cli("sets", "--search", "no such word")
    assert (outcome.code, outcome.out) == (0, "")
    assert "No shipped set mentions 'no such word'" in outcome.err


@pytest.mark.parametrize("form", ["text", "--html", "--markdown", "--json"])
def test_a_set_is_shown_with_every_requirement(cli: Cli, form: str) -> None:
    outcome = cli("sets", "defender-iot", *([] if form == "text" else [form]))
    assert outcome.code == 0
    text = " ".join(outcome.out.split())
    for one in load_declared("defender-iot").requirements:
        assert one.id in text
        assert (
            json.dumps(one.says)[1:-1] in text or one.says.replace("'", "&#39;") in text or one.says in text
        )


def test_the_html_page_is_complete_and_loads_nothing(cli: Cli) -> None:
    page = cli("sets", "rfc5280", "--html").out
    tags = _Tags()
    tags.feed(page)
    assert tags.rows == len(load_declared("rfc5280").requirements) + 1
    assert tags.loaded == []


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows, self.loaded = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.rows += tag == "tr"
        names = dict(attrs)
        if "src" in names or (tag == "link" and names["rel"] != "icon"):
            self.loaded.append(str(names))


def test_diff_names_what_only_one_set_has_and_what_has_changed(cli: Cli) -> None:
    differences = {
        one["id"]: one
        for one in json.loads(cli("sets", "diff", "defender-iot", "defender-iot-2020", "--json").out)
    }
    assert differences["subject-cn-unique"]["second"] is None
    assert differences["chain-order"]["first"] is None
    assert differences["certificate-suffix"]["changed"] == ["condition", "says"]
    text = cli("sets", "diff", "defender-iot", "defender-iot-2020").out
    assert "subject-cn-unique  only in defender-iot\n" in text
    assert "certificate-suffix  differs in condition, says\n" in text
    assert cli("sets", "diff", "defender-iot", "defender-iot").out == "The sets have the same requirements.\n"


def test_match_names_the_satisfied_sets_and_what_the_nearest_others_miss(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "minimal", "--out", str(tmp_path)).code == 0
    (folder,) = (path for path in (tmp_path / "minimal" / "certificates").iterdir())
    files = [str(path) for path in folder.iterdir() if path.suffix in (".crt", ".key", ".pem")]
    (one,) = json.loads(cli("sets", "match", *files, "--json").out)
    by_name = {match["set"]: match for match in one["sets"]}
    assert by_name["web-server"]["satisfied"]
    missing = json.loads(cli("check", *files, "--against", "defender-iot", "--json").out)[0]["findings"]
    expected = {f["id"] for f in missing if f["status"] == "fail" and f["level"] != "advice"}
    assert set(by_name["defender-iot"]["missing"]) == expected
    assert expected
    text = cli("sets", "match", *files)
    assert text.code == 0
    assert "web-server" in text.out
    assert "satisfied: " in text.out


def test_match_compares_sets_for_cas_with_ca_certificates_only(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "minimal", "--out", str(tmp_path)).code == 0

    def names(pattern: str) -> set[str]:
        (file,) = (tmp_path / "minimal").glob(pattern)
        (one,) = json.loads(cli("sets", "match", str(file), "--json").out)
        return {match["set"] for match in one["sets"]}

    assert not names("certificates/*/*.crt") & {
        "apple-root-program:root",
        "chrome-root-program:subordinate-ca",
    }
    assert "apple-root-program:root" in names("authorities/root/root.crt")


def test_match_includes_own_sets_and_lists_those_that_hardly_apply_on_one_line(
    cli: Cli, tmp_path: Path
) -> None:
    assert cli("build", "minimal", "--out", str(tmp_path)).code == 0
    (certificate,) = (tmp_path / "minimal" / "certificates").glob("*/*.crt")
    text = cli("sets", "web-server", "--yaml").out
    (certificate.parent / "own.yaml").write_text(text.replace("name: web-server", "name: own"))
    (certificate.parent / "other.yaml").write_text("requirements: []")
    lines = cli("sets", "match", str(certificate)).out.splitlines()
    satisfied = [int(line.split("satisfied: ")[1].split()[0]) for line in lines if "satisfied: " in line]
    assert satisfied == sorted(satisfied, reverse=True)
    assert min(satisfied) >= 3
    assert any(line.startswith("  own ") for line in lines)
    assert any("Hardly any requirement of these sets applies" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["defendr-iot"], "did you mean 'defender-iot'"),
        (["diff", "defender-iot"], "pkigen sets diff SET SET"),
        (["match"], "needs files"),
        (["match", "absent.crt"], "absent.crt"),
        (["defender-iot", "web-server"], "'web-server' is one argument too many"),
        (["defender-iot:server"], "the set 'defender-iot' has no roles"),
    ],
)
def test_a_wrong_argument_is_an_error_that_says_what_to_do(
    cli: Cli, arguments: list[str], words: str
) -> None:
    outcome = cli("sets", *arguments)
    assert outcome.code == 2
    assert words in outcome.err


def test_check_without_a_set_points_to_match(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "minimal", "--out", str(tmp_path)).code == 0
    (certificate,) = (tmp_path / "minimal" / "certificates").glob("*/*.crt")
    assert cli("check", str(certificate)).err.splitlines()[-1].startswith("`pkigen sets match FILE...`")
    assert "sets match" not in cli("check", str(certificate), "--against", "web-server").err


def test_the_file_of_a_shipped_set_is_printed_as_a_start_for_another(cli: Cli, tmp_path: Path) -> None:
    text = cli("sets", "web-server", "--yaml").out
    Path("own.yaml").write_text(text.replace("name: web-server", "name: own"))
    assert cli("sets", "own.yaml").code == 0
    assert "web-server" in cli("sets", "web-servr", "--yaml").err
    assert cli("sets", "own.yaml", "--yaml").code == 2
