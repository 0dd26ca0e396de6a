"""``pkigen convert``: results on stdout, words on stderr, and never a secret on either."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.conftest import Cli, finish, start
from tests.inspection.conversion.certificates import PASSPHRASE, Made, make
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The files that conversions begin with."""
    return make(tmp_path_factory.mktemp("made"))


def test_a_pfx_becomes_the_three_files_of_an_appliance(cli: Cli, made: Made) -> None:
    outcome = cli("convert", made / "sensor.pfx", "--passphrase-file", made / "pass")
    assert (outcome.code, outcome.out) == (0, "sensor.crt\nsensor.key\nsensor.pem\n")
    assert run("openssl", "verify", "-CAfile", "sensor.pem", "sensor.crt") == "sensor.crt: OK\n"
    assert stat.S_IMODE(Path("sensor.key").stat().st_mode) == 0o600
    assert "no longer encrypted; use --new-passphrase-file FILE to encrypt it" in outcome.err


@pytest.mark.parametrize("to", ["crt", "key", "pem", "der", "p12", "appliance"])
def test_every_target_is_reported_by_its_path_to_people_and_to_programs(
    cli: Cli, made: Made, to: str
) -> None:
    secret = ("--new-passphrase-file", made / "pass") if to in ("key", "p12", "appliance") else ()
    people = cli("convert", made / "bundle.pem", "--to", to, *secret, "--out", "people")
    programs = cli("convert", made / "bundle.pem", "--to", to, *secret, "--out", "programs", "--json")
    assert (people.code, programs.code, programs.err) == (0, 0, "")
    result = json.loads(programs.out)
    assert [file["path"].replace("programs", "people") for file in result["written"]] == people.out.split()
    assert all(Path(file["path"]).is_file() and file["holds"] for file in result["written"])
    assert result["notes"] == []


def test_neither_key_nor_passphrase_is_ever_printed(cli: Cli, made: Made) -> None:
    sources = ("sensor.pfx", "sensor.enc.key", "sensor.enc.traditional.key", "bundle.pem")
    for source in sources:
        for secret in ("pass", "wrong"):
            for to in ("key", "p12", "appliance", "crt"):
                options = ("--passphrase-file", made / secret, "--to", to, "--force", "--out", "x")
                outcome = cli("convert", made / source, *options)
                assert "PRIVATE KEY-----" not in outcome.out + outcome.err
                assert PASSPHRASE not in outcome.out + outcome.err


def test_the_new_passphrase_decrypts_the_key(cli: Cli, made: Made) -> None:
    for extra in ((), ("--key-format", "traditional")):
        secret = ("--new-passphrase-file", made / "pass")
        assert cli("convert", made / "sensor.key", "--to", "key", "--force", *secret, *extra).code == 0
        public = run("openssl", "pkey", "-in", "sensor.key", "-passin", f"pass:{PASSPHRASE}", "-pubout")
        assert public == run("openssl", "pkey", "-in", made / "sensor.key", "-pubout")


def test_existing_files_are_kept_and_all_are_reported_before_anything_is_written(
    cli: Cli, made: Made
) -> None:
    Path("bundle.key").write_text("mine")
    Path("bundle.pem").write_text("mine too")
    outcome = cli("convert", made / "bundle.pem")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "".join(
        f"bundle.{suffix} exists; use --force to replace it\n" for suffix in ("key", "pem")
    )
    assert sorted(path.name for path in Path().iterdir()) == ["bundle.key", "bundle.pem"]
    assert cli("convert", made / "bundle.pem", "--force").code == 0
    assert Path("bundle.pem").read_bytes() == (made / "chain.pem").read_bytes()


def test_a_source_is_not_overwritten_even_by_force(cli: Cli, made: Made) -> None:
    Path("bundle.pem").write_bytes((made / "bundle.pem").read_bytes())
    outcome = cli("convert", "bundle.pem", "--to", "pem", "--force")
    assert (outcome.code, outcome.err) == (
        2,
        "bundle.pem is also a source and would be overwritten; specify another path with --out\n",
    )
    assert Path("bundle.pem").read_bytes() == (made / "bundle.pem").read_bytes()


@pytest.mark.parametrize(
    ("source", "options", "code", "words"),
    [
        (
            "sensor.pfx",
            (),
            2,
            "sensor.pfx: it is encrypted, and no passphrase was given; use --passphrase-file",
        ),
        ("sensor.pfx", ("--passphrase-file", "wrong"), 2, "sensor.pfx: the passphrase is wrong"),
        ("sensor.enc.key", ("--to", "key"), 2, "sensor.enc.key: it is encrypted"),
        ("sensor.crt", (), 2, "there is no private key in"),
        ("two.pem", ("--to", "crt"), 2, "CN=other.contoso.test"),
        ("sensor.crt", ("--to", "crt", "--out", "no/such/"), 2, "there is no directory"),
        ("pass", (), 2, "the format is unknown"),
        ("none", (), 2, "No such file"),
        ("", (), 2, "the path is a directory"),
    ],
)
def test_invalid_input_is_one_line_and_writes_nothing(
    cli: Cli, made: Made, source: str, options: tuple[str, ...], code: int, words: str
) -> None:
    outcome = cli("convert", made / source, *(made / word if word == "wrong" else word for word in options))
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not list(Path().iterdir())


def test_a_key_of_another_certificate_is_rejected(cli: Cli, made: Made) -> None:
    outcome = cli("convert", made / "sensor.crt", made / "other.key")
    assert (outcome.code, outcome.out) == (1, "")
    assert "the key does not belong to the certificate: O=Contoso Inc., CN=sensor" in outcome.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("size", [0, 1, 2, 60, 1000])
def test_a_truncated_pfx_is_reported(cli: Cli, made: Made, size: int) -> None:
    Path("cut.pfx").write_bytes((made / "sensor.pfx").read_bytes()[:size])
    outcome = cli("convert", "cut.pfx", "--passphrase-file", made / "pass")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("cut.pfx: ")
    assert ("is truncated" in outcome.err) == (size > 1)


def test_a_directory_without_write_permission_is_reported(
    cli: Cli, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    outcome = cli("convert", made / "sensor.cer", "--to", "crt")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("sensor.crt cannot be written: permission denied; correct the permissions")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_reported(cli: Cli, made: Made, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        outcome = cli("convert", made / "sensor.cer", "--to", "crt")
    finally:
        tmp_path.chmod(0o700)
    assert outcome.code == 3
    assert outcome.err.startswith("sensor.crt cannot be written: permission denied; correct the permissions")


@pytest.mark.parametrize("wrong", [("--to", "jks"), ("--key-format", "x"), ()])
def test_a_wrong_command_line_is_a_usage_error(cli: Cli, made: Made, wrong: tuple[str, ...]) -> None:
    assert cli("convert", *((made / "sensor.crt", *wrong) if wrong else ())).code == 2


def test_names_of_certificates_and_files_cannot_inject_terminal_escapes(cli: Cli, made: Made) -> None:
    name = "\x1b[2J\nsensor"
    subject = ("-subj", f"/CN={name}", "-out", "odd.crt")
    run("openssl", "req", "-x509", "-new", "-key", made / "other.key", *subject)
    Path(f"{name}.crt").write_bytes(Path("odd.crt").read_bytes())
    outcome = cli("convert", f"{name}.crt", "--to", "der")
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err


def test_the_command_converts_without_a_warning(made: Made, tmp_path: Path) -> None:
    command = ("convert", made / "all.p7b", made / "sensor.key", "--to", "appliance", "--out", "a")
    outcome = finish(start(*command, cwd=tmp_path))
    assert (outcome.code, outcome.out) == (0, "a.crt\na.key\na.pem\n")
    assert [line.partition(":")[0] for line in outcome.err.splitlines()] == ["a.crt", "a.key", "a.pem"]
