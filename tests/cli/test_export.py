"""``pkigen export``: lists, directories, words for people, JSON for programs, and what is wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pkigen import build
from pkigen.export import FLEET_TARGETS, TARGETS, shipped_template
from tests.cli.conftest import Cli, finish, start

PROFILE = {
    "name": "contoso",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}},
    "certificates": {
        "sensor": {"issuer": "root", "subject": {"CN": "sensor.contoso.test"}},
        "console": {"issuer": "root", "subject": {"CN": "console.contoso.test"}, "passphrase": "open sesame"},
    },
    "negatives": [{"of": "sensor", "faults": ["expired", "key-mismatch"]}],
}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return build(PROFILE, tmp_path / "out").folder


def test_the_list_has_every_target_with_its_description_and_templates(cli: Cli) -> None:
    outcome = cli("export", "--list")
    assert (outcome.code, outcome.err) == (0, "")
    text = " ".join(outcome.out.split())
    for one in TARGETS.values():
        assert f"{one.name} {one.says}" in text
        assert all(name in text for name in one.templates)
    assert max(map(len, outcome.out.splitlines())) <= 80
    output = json.loads(cli("export", "--list", "--json").out)
    assert [one["name"] for one in output] == [*sorted(TARGETS), *sorted(FLEET_TARGETS)]
    assert {one["name"] for one in output if one["fleets"]} == FLEET_TARGETS.keys()


def test_only_the_directory_is_on_stdout(cli: Cli, environment: Path) -> None:
    outcome = cli("export", environment, "--to", "nginx")
    folder = environment / "export" / "nginx"
    assert (outcome.code, outcome.out) == (0, f"{folder}\n")
    assert outcome.err.splitlines()[0] == "2 certificates. Files: 8 written, 0 unchanged."
    assert "Not exported, 1: OpenSSL does not load it: key values mismatch" in outcome.err
    assert "(sensor.key-mismatch)" in outcome.err
    assert "Not exported, 1: its key is passphrase-protected; use --passphrase-file" in outcome.err
    assert outcome.err.splitlines()[-1] == "Next, in that directory: nginx -p . -c nginx.conf"
    assert "PRIVATE" not in outcome.err
    again = cli("export", environment, "--to", "nginx", "--only", "sensor")
    assert "1 certificate. Files: 1 written, 5 unchanged, 2 deleted." in again.err


def test_the_result_is_available_as_json(cli: Cli, environment: Path) -> None:
    Path("pass.txt").write_text("open sesame\n")
    outcome = cli("export", environment, "--to", "haproxy", "--passphrase-file", "pass.txt", "--json")
    output = json.loads(outcome.out)
    assert output["target"] == "haproxy"
    assert output["certificates"] == ["sensor", "console", "sensor.expired"]
    assert output["left_out"].keys() == {"sensor.key-mismatch"}
    assert {"path": "private/console.pem", "secret": True} in output["files"]
    assert {"path": "haproxy.cfg", "secret": False} in output["files"]
    assert all((Path(output["folder"]) / one["path"]).is_file() for one in output["files"])
    assert output["removed"] == []
    assert outcome.err == ""


def test_a_template_is_printed_unmodified_and_used_from_a_directory(cli: Cli, environment: Path) -> None:
    printed = cli("export", "--show-template", "nginx.conf.j2").out
    assert printed == shipped_template("nginx.conf.j2")
    Path("mine").mkdir()
    Path("mine/nginx.conf.j2").write_text(f"# Mine\n{printed}")
    outcome = cli("export", environment, "--to", "nginx", "--templates", "mine", "--out", "there")
    assert (outcome.code, outcome.out) == (0, "there\n")
    assert Path("there/nginx.conf").read_text().startswith("# Mine\n# nginx for contoso")


def test_ports_and_address_are_the_requested_ones(cli: Cli, environment: Path) -> None:
    cli(
        *("export", environment, "--to", "nginx", "--host", "10.0.0.1"),
        *("--port", 8081, "--tls-port", 8444, "--out", "o"),
    )
    text = Path("o/nginx.conf").read_text()
    assert "listen 10.0.0.1:8081 default_server;" in text
    assert "listen 10.0.0.1:8444 ssl" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", "ngnix"), 2, "did you mean 'nginx'?"),
        ((), 2, "specify a format: ansible, apache"),
        (("--to", "nginx", "--only", "x*"), 2, "no certificate matches --only 'x*'"),
        (("--to", "nginx", "--only", "*.key-mismatch"), 1, "nginx can export none of these certificates"),
        (
            ("--to", "nginx", "--templates", "none"),
            2,
            "none is not a directory; --templates needs a directory",
        ),
        (("--show-template", "x.j2"), 2, "unknown template x.j2; the templates are Caddyfile.j2"),
        (("--to", "nginx", "--passphrase-file", "none"), 2, "none"),
        (("--to", "java", "--new-passphrase-file", "none"), 2, "none"),
        (("--to", "nginx", "--host", "0.0.0.0; evil"), 2, "must be quoted by a filter"),
        (("--to", "nginx", "--host", ""), 2, "must be quoted by a filter"),
        (("--to", "nginx", "--port", "0"), 2, "--port"),
        (("--to", "nginx", "--out", "contoso.yaml"), 2, "not a directory"),
    ],
)
def test_invalid_arguments_are_reported(
    cli: Cli, environment: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    Path("contoso.yaml").touch()
    outcome = cli("export", environment, *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err
    assert not (environment / "export").exists()


@pytest.mark.parametrize("inside", ["www", "www/tls", "certificates/sensor", ".pkigen", "."])
def test_keys_are_not_exported_to_where_builds_write(cli: Cli, environment: Path, inside: str) -> None:
    before = set(environment.rglob("*"))
    outcome = cli("export", environment, "--to", "nginx", "--out", environment / inside)
    assert (outcome.code, set(environment.rglob("*"))) == (2, before)
    assert "choose another --out" in " ".join(outcome.err.split())
    assert cli("export", environment, "--to", "nginx", "--out", environment / "nginx").code == 0


@pytest.mark.parametrize("arguments", [("--to", "nginx"), ("nothing", "--to", "nginx")])
def test_without_an_environment_the_export_is_an_error(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("export", *arguments).code == 2


def test_a_forged_manifest_does_not_lead_out_of_the_directory(cli: Cli, environment: Path) -> None:
    path = environment / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["cases"][0]["name"] = "../../evil"
    path.write_text(json.dumps(manifest))
    outcome = cli("export", environment, "--to", "nginx")
    assert outcome.code == 2
    assert "cases.0.name leads outside the environment: ../../evil" in outcome.err
    assert not (environment / "export").exists()


def test_a_missing_file_of_the_environment_is_reported(cli: Cli, environment: Path) -> None:
    (environment / "certificates/sensor/sensor.key").unlink()
    outcome = cli("export", environment, "--to", "ansible")
    assert outcome.code == 2
    assert "No such file or directory. Build the environment again" in outcome.err


def test_the_command_exports_without_a_warning(environment: Path) -> None:
    outcome = finish(start("export", environment, "--to", "windows", "--only", "sensor*"))
    assert (outcome.code, outcome.out) == (0, f"{environment / 'export' / 'windows'}\n")
    assert "Warning" not in outcome.err
