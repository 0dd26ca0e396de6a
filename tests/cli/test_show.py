"""``pkigen show``: what it prints, what it never prints, and how it ends."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from pkigen.asn1 import der
from pkigen.cli.show import print_description, print_overview
from pkigen.inspection.artifacts import read
from pkigen.inspection.description import describe
from tests.cli.conftest import Cli
from tests.environment.profiles import build_it, small
from tests.inspection.description.conftest import NOW


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small environment, with a PKCS#12 and a sealed key for the console."""
    document = small()
    document["certificates"]["console"] |= {
        "formats": ["pkcs12"],
        "passphrase": "geheim",
        "san": ["dns:console.test", "ip:10.1.0.10", "uri:urn:a:long:name:that:goes:on:and:on"],
        "revoked": {"reason": "keyCompromise", "at": "-2d"},
    }
    return build_it(document, tmp_path_factory.mktemp("built")).folder


@pytest.fixture
def files(built: Path, cli: Cli) -> list[str]:
    """The files of the console and its CAs, in the current directory."""
    paths = [
        *(built / "certificates/console" / f"console.{end}" for end in ("crt", "key", "p12")),
        *(
            built / "authorities" / name / f"{name}.{end}"
            for name in ("issuing", "root")
            for end in ("crt", "crl")
        ),
        built / "authorities/root/root.key",
    ]
    for path in paths:
        Path(path.name).write_bytes(path.read_bytes())
    Path("secret").write_text("geheim\n")
    return [path.name for path in paths]


def test_every_file_has_a_block_and_the_last_one_shows_how_they_match(cli: Cli, files: list[str]) -> None:
    outcome = cli("show", *files, "--passphrase-file", "secret")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    for title in ("console.crt: certificate", "console.key: private key", "root.crl: CRL"):
        assert title in lines
    end = lines[lines.index("How they belong together") + 1 :]
    assert "  console.key is the key of console.crt, console.p12 (number 2)" in end
    assert "  root.crt issued issuing.crt, root.crl" in end
    assert "  issuing.crt issued console.crt, issuing.crl" in end
    assert any(line.startswith("  console.crt is revoked by issuing.crl (keyCompromise, ") for line in end)


def test_lines_stay_within_80_columns(cli: Cli, files: list[str]) -> None:
    outcome = cli("show", *files, "--passphrase-file", "secret")
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_no_private_key_is_shown(cli: Cli, files: list[str], option: list[str]) -> None:
    outcome = cli("show", "root.key", *option)
    text = Path("root.key").read_text().splitlines()
    octets = base64.b64decode("".join(text[1:-1]))
    _, _, key = der.children(octets)
    scalar = der.contents(der.children(der.contents(key))[1])
    assert len(scalar) == 32
    for secret in (scalar.hex(), base64.b64encode(scalar).decode()[:40], text[1], "geheim"):
        assert secret not in outcome.out + outcome.err


def test_json_is_a_list_of_objects(cli: Cli, files: list[str]) -> None:
    outcome = cli("show", *files, "--json")
    descriptions = json.loads(outcome.out)
    assert outcome.out.isascii()
    assert [each["index"] for each in descriptions] == list(range(len(descriptions)))
    assert {each["file"]: each["kind"] for each in descriptions} == {
        "console.crt": "certificate",
        "console.key": "key",
        "console.p12": "pkcs12",
        "issuing.crt": "certificate",
        "issuing.crl": "crl",
        "root.crt": "certificate",
        "root.crl": "crl",
        "root.key": "key",
    }
    revoked = {each["relation"]: each["file"] for each in descriptions[0]["relations"]}
    assert revoked == {"issued_by": "issuing.crt", "revoked_by": "issuing.crl"}
    assert descriptions[0]["not_after"].endswith("Z")


def test_a_missing_passphrase_is_no_failure_and_its_option_is_reported(cli: Cli, files: list[str]) -> None:
    outcome = cli("show", "console.key", "console.p12")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.count("encrypted; use --passphrase-file FILE") == 2


def test_a_wrong_passphrase_is_a_failure(cli: Cli, files: list[str]) -> None:
    Path("wrong").write_text("wrong\n")
    outcome = cli("show", "console.key", "--passphrase-file", "wrong")
    assert outcome.code == 1
    assert "the passphrase is wrong" in outcome.out
    assert cli("show", "console.key", "--passphrase-file", "wrong", "--passphrase-file", "secret").code == 0


def test_an_unreadable_file_is_shown_and_sets_the_exit_code(cli: Cli, files: list[str]) -> None:
    Path("noise").write_text("no certificate")
    outcome = cli("show", "noise", "root.crt")
    assert outcome.code == 1
    assert "noise: unknown" in outcome.out
    assert "root.crt: certificate" in outcome.out


def test_a_file_that_cannot_be_opened_does_not_hide_others(cli: Cli, files: list[str]) -> None:
    outcome = cli("show", "nothing.crt", "root.crt", "nowhere.crt")
    assert outcome.code == 2
    assert "root.crt: certificate" in outcome.out
    assert [line.split()[0] for line in outcome.err.splitlines()] == ["nothing.crt", "nowhere.crt"]
    assert len(json.loads(cli("show", "nothing.crt", "root.crt", "--json").out)) == 1
    assert cli("show", "root.crt", "--passphrase-file", "nothing").code == 2


def test_titles_are_bold_and_expired_certificates_red(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pkigen.cli._console.is_terminal", lambda stream: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    artifacts = read((built / "authorities/root/root.crt").read_bytes(), "root.crt")
    print_overview(describe(artifacts, NOW.replace(year=2099)), ["root.crt"])
    output = capsys.readouterr().out
    assert "\x1b[1mroot.crt: certificate\x1b[0m" in output
    assert "  validity      \x1b[31mended " in output


def test_notes_are_below_their_fields_and_none_is_lost(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts = read((built / "authorities/root/root.crt").read_bytes(), "root.crt")
    (description,) = describe(artifacts, NOW).descriptions
    remarks = {"public_key": ["too short"], "2.5.29.19": ["not required"], "no_such_field": ["all the same"]}
    print_description(description, remarks)
    lines = capsys.readouterr().out.splitlines()
    for field, remark in (("  public key", "    ! too short"), ("  basic constraints", "    ! not required")):
        place = next(number for number, line in enumerate(lines) if line.startswith(field))
        assert remark in lines[place + 1 : place + 3]
    assert lines[-1] == "    ! all the same"


def test_a_name_cannot_inject_terminal_escapes_or_lines(cli: Cli, built: Path) -> None:
    text = (built / "authorities/root/root.crt").read_text().splitlines()
    octets = base64.b64decode("".join(text[1:-1]))
    trick = b"\x1b[2J\n  \xe2\x80\xae"
    assert octets.count(b"Small Root") == 2
    Path("trick.crt").write_bytes(octets.replace(b"Small Root", trick.ljust(10, b"x")[:10]))
    outcome = cli("show", "trick.crt")
    assert outcome.code == 0
    assert "CN=\\x1b[2J" in outcome.out
    assert all(line.isprintable() for line in outcome.out.splitlines())


def test_a_word_longer_than_the_line_is_not_cut(cli: Cli, tmp_path: Path) -> None:
    document = small()
    url = f"urn:{'a' * 120}"
    document["certificates"]["console"]["san"] = ["dns:console.test", f"uri:{url}"]
    folder = build_it(document, tmp_path / "out").folder
    outcome = cli("show", folder / "certificates/console/console.crt")
    assert f"    uri:{url}\n" in outcome.out
