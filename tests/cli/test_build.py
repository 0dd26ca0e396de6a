"""``pkigen plan``, ``build`` and ``renew``: what they say, where, and with which exit code."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, finish, start
from tests.tools import python


def test_a_build_ends_with_counts_paths_and_the_next_step(cli: Cli, profile: Path) -> None:
    outcome = cli("build", profile)
    assert outcome.code == 0
    assert outcome.out.startswith("contoso is built (")
    assert "  issued                5\n" in outcome.out
    assert "  CRLs published        1\n" in outcome.out
    for place in ("out/contoso", "out/contoso/manifest.json", "out/contoso/trust.pem"):
        assert f"  {place}\n" in outcome.out
        assert Path(place).exists()
    assert outcome.err.splitlines()[-1] == "Next: pkigen serve out/contoso"
    assert "5 of 5 done" in outcome.err


def test_a_second_build_reports_that_everything_is_up_to_date(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    outcome = cli("build", profile)
    assert outcome.out.startswith("contoso is up to date (")
    assert "issued" not in outcome.out


def test_a_build_states_what_it_reissued_and_why(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    profile.write_text(profile.read_text().replace("CN: console.", "CN: console2."))
    outcome = cli("build", profile)
    assert "reissue  certificates/console" in outcome.out
    assert "subject" in outcome.out
    assert "  reissued              1\n" in outcome.out


def test_json_has_the_whole_result(cli: Cli, profile: Path) -> None:
    outcome = cli("build", profile, "--json")
    result = json.loads(outcome.out)
    assert result["environment"] == "contoso"
    assert result["counts"]["issue"] == len(result["changes"]) == 5
    assert result["counts"]["keep"] == 0
    assert [crl["authority"] for crl in result["crls"]] == ["root"]
    assert Path(result["manifest"]).is_file()
    assert Path(result["trust"]).is_file()
    assert result["up_to_date"] is False


def test_a_plan_writes_nothing_and_predicts_the_build(cli: Cli, profile: Path, tmp_path: Path) -> None:
    planned = json.loads(cli("plan", profile, "--json").out)
    assert [path.name for path in tmp_path.iterdir()] == ["contoso.yaml"]
    built = json.loads(cli("build", profile, "--json").out)
    for part in ("environment", "folder", "counts", "changes", "crls"):
        assert planned[part] == built[part]


def test_a_plan_has_a_line_for_each_change(cli: Cli, profile: Path) -> None:
    outcome = cli("plan", profile)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line.split()[:2] for line in lines[:5]] == [
        ["issue", "authorities/root"],
        ["issue", "certificates/console"],
        *(["issue", f"certificates/sensor-0{n}"] for n in (1, 2, 3)),
    ]
    assert lines[-1] == "contoso: 1 CRL to publish; 5 to issue"


def test_long_reasons_stay_within_80_columns(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    text = profile.read_text().replace("CN: console.", "CN: console2.").replace("ec-p256", "ec-p384")
    profile.write_text(text.replace("sensor-{", "sensor-of-a-site-with-a-name-that-goes-on-{"))
    outcome = cli("plan", profile, "--prune")
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_exit_code_of_a_plan_reports_pending_work_on_request(cli: Cli, profile: Path) -> None:
    assert cli("plan", profile, "--exit-code").code == 1
    cli("build", profile)
    done = cli("plan", profile, "--exit-code")
    assert done.code == 0
    assert "contoso is up to date: a build would change nothing.\n" in done.out


def test_entities_that_left_the_profile_are_listed_and_removed_only_with_prune(
    cli: Cli, profile: Path
) -> None:
    cli("build", profile)
    profile.write_text(profile.read_text().replace("{01..03}", "{01..02}"))
    left = cli("build", profile)
    assert "left     certificates/sensor-03" in left.out
    assert Path("out/contoso/certificates/sensor-03").exists()
    gone = cli("build", profile, "--prune")
    assert "prune    certificates/sensor-03" in gone.out
    assert not Path("out/contoso/certificates/sensor-03").exists()


def test_options_reach_the_build(cli: Cli, profile: Path) -> None:
    outcome = cli(
        "build", profile, "--out", "made", "--only", "sensor-*", "--at", "2026-01-31T12:00Z",
        "--jobs", "1", "--seed", "fixture", "--json",
    )  # fmt: skip
    result = json.loads(outcome.out)
    assert result["folder"] == "made/contoso"
    assert (result["counts"]["issue"], result["counts"]["skip"]) == (4, 1)
    assert any("seed" in note for note in result["notes"])
    again = json.loads(cli("build", profile, "--out", "made", "--only", "sensor-01", "--rekey", "--json").out)
    rekeyed = {change["id"] for change in again["changes"] if change["new_key"]}
    assert rekeyed == {"certificates/sensor-01"}


def test_a_seeded_build_warns_that_its_keys_are_no_secret(cli: Cli, profile: Path) -> None:
    outcome = cli("build", profile, "--seed", "a seed that is not shown")
    assert "Note: " in outcome.err
    assert "the seed reveals every key" in " ".join(outcome.err.split())
    assert "a seed that is not shown" not in outcome.out + outcome.err


@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_pattern_that_matches_nothing_is_a_usage_error(cli: Cli, profile: Path, command: str) -> None:
    outcome = cli(command, profile, "--only", "sensr-*")
    assert outcome.code == 2
    assert "--only 'sensr-*' matches no CA and no certificate of the profile" in outcome.err
    assert cli(command, profile, "--only", "sensor-*").code == 0


def test_a_seed_and_a_pool_exclude_each_other(cli: Cli, profile: Path) -> None:
    outcome = cli("build", profile, "--seed", "x", "--keys", "pool")
    assert (outcome.code, outcome.out) == (2, "")


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31T23:59:59Z", "+9999y", "soon", ""])
@pytest.mark.parametrize("command", ["plan", "build"])
def test_an_impossible_clock_is_a_usage_error(cli: Cli, profile: Path, command: str, at: str) -> None:
    outcome = cli(command, profile, "--at", at)
    assert (outcome.code, outcome.out) == (2, "")


def test_a_file_in_place_of_the_directory_is_a_system_error(cli: Cli, profile: Path) -> None:
    Path("out").write_text("in the way")
    outcome = cli("build", profile)
    assert (outcome.code, outcome.out) == (3, "")
    assert "out" in outcome.err


def test_a_renewal_issues_only_the_named_certificate_with_its_key(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    folder = Path("out/contoso/certificates/sensor-01")
    key, certificate = ((folder / f"sensor-01.{end}").read_bytes() for end in ("key", "crt"))
    outcome = cli("renew", "out/contoso", "sensor-01", "--json")
    assert [change["id"] for change in json.loads(outcome.out)["changes"]] == ["certificates/sensor-01"]
    assert (folder / "sensor-01.key").read_bytes() == key
    assert (folder / "sensor-01.crt").read_bytes() != certificate


@pytest.mark.parametrize("arguments", [("out/nothing", "sensor-01"), ("out/contoso", "sensor-99")])
def test_an_impossible_renewal_is_reported(cli: Cli, profile: Path, arguments: tuple[str, str]) -> None:
    cli("build", profile)
    outcome = cli("renew", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert arguments[0 if "nothing" in arguments[0] else 1] in outcome.err


def test_an_interrupted_build_ends_cleanly_and_the_next_completes_it(tmp_path: Path, profile: Path) -> None:
    text = profile.read_text().replace("ec-p256", "rsa-2048").replace("{01..03}", "{001..400}")
    profile.write_text(text)
    process = start("build", profile, cwd=tmp_path)
    assert process.stderr is not None
    process.stderr.readline()  # the build has begun
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in outcome.err
    profile.write_text(text.replace("rsa-2048", "ec-p256").replace("{001..400}", "{001..004}"))
    assert finish(start("build", profile, "--prune", cwd=tmp_path)).code == 0


def test_colors_are_for_terminals_without_no_color(tmp_path: Path, profile: Path) -> None:
    pty = pytest.importorskip("pty")
    for wish, coloured in (("", True), ("1", False)):
        screen, terminal = pty.openpty()
        environ = {"TERM": "xterm", "NO_COLOR": wish}
        outcome = finish(start("plan", profile, cwd=tmp_path, environ=environ, stdout=terminal))
        os.close(terminal)
        output = os.read(screen, 65536)
        os.close(screen)
        assert outcome.code == 0
        assert (b"\x1b[" in output) is coloured


def test_a_build_without_requirement_sets_does_not_import_the_language_of_sets(tmp_path: Path) -> None:
    code = "import sys; from pkigen.cli import main; main(['build', 'minimal']); print(*sys.modules)"
    loaded = python("-c", code, cwd=tmp_path).splitlines()[-1].split()
    assert "pkigen.plan.cases" in loaded
    assert {"pkigen.requirements", "pkigen.inspection.artifacts", "jinja2", "rich"} & set(loaded) == set()
