"""Builds that change nothing are recognized by contents: a change of whatever they depend on is noticed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import pkigen
from pkigen.cli import main
from pkigen.environment.build import up_to_date
from pkigen.environment.build.options import BuildOptions

pytestmark = pytest.mark.needs("openssl")

_BASE = """\
name: contoso
base_url: http://127.0.0.1:8080
defaults: {key: ec-p256, renew: 20d}
requirements: [own.yaml]
authorities:
  root: {subject: {CN: Contoso Test Root CA}}
  partner: {from: {certificate: partner.crt}}
"""
_PROFILE = """\
extends: minimal-base.yaml
certificates:
  sensor-{01..02}: {issuer: root, passphrase: {file: secret.txt}}
  "{{ device }}": {each: devices.csv, issuer: root}
  given: {issuer: root, key: {file: given.key}}
  requested: {issuer: root, csr: requested.csr}
"""
_SET = """\
name: own
title: A set of this test
source: {title: this test, date: "2026-01-01"}
requirements:
  - id: begun
    says: The certificate is valid now.
    level: rejected
    demand: {validity: {begun: true}}
"""
_NOT_READ = {"request.key", "lock.db", "up-to-date.json"}
_REQUEST = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a.test")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a profile that reads every kind of file, and its environment."""
    folder = tmp_path_factory.mktemp("built")
    for name, text in {
        "contoso.yaml": "name: contoso\n" + _PROFILE,
        "minimal-base.yaml": _BASE,
        "own.yaml": _SET,
        "secret.txt": "secret\n",
        "devices.csv": "device\npump-1\npump-2\n",
    }.items():
        (folder / name).write_text(text)
    document = {"name": "partner", "authorities": {"root": {"key": "ec-p256"}}}
    day_before = BuildOptions(at=datetime.now(UTC) - timedelta(days=1))
    partner = pkigen.build(document, out=folder / "partner", options=day_before).folder
    shutil.copy(partner / "authorities/root/root.crt", folder / "partner.crt")
    openssl(*_REQUEST, "-keyout", folder / "request.key", "-out", folder / "requested.csr")
    shutil.copy(folder / "request.key", folder / "given.key")
    shutil.rmtree(folder / "partner")
    build(folder)
    return folder


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def build(folder: Path, *options: str) -> None:
    assert main(["build", str(folder / "contoso.yaml"), "--out", str(folder / "out"), *options]) == 0


@pytest.fixture
def folder(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the directory, whose environment is recorded at its new place."""
    shutil.copytree(built, tmp_path / "copy")
    build(tmp_path / "copy")
    assert recall(tmp_path / "copy") is not None
    return tmp_path / "copy"


def recall(folder: Path, **options: Any) -> object:
    return up_to_date.recall(folder / "contoso.yaml", folder / "out", BuildOptions(**options))


def test_the_result_is_that_of_an_ordinary_build(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = folder / "out/contoso/.pkigen/up-to-date.json"
    outputs = []
    for _ in range(2):
        capsys.readouterr()
        build(folder, "--json")
        outputs.append(json.loads(capsys.readouterr().out) | {"seconds": 0})
        record.unlink(missing_ok=True)
    assert outputs[0] == outputs[1]
    assert outputs[0]["up_to_date"] is True


def test_a_change_of_any_file_is_noticed(folder: Path) -> None:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in _NOT_READ]
    names = {path.name for path in paths}
    assert names >= {
        "given.key",
        "requested.csr",
        "secret.txt",
        "own.yaml",
        "crls.pem",
        "root.crl",
        "index.db",
    }
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert recall(folder) is None, path
        path.unlink()
        assert recall(folder) is None, path
        path.write_bytes(content)
    assert recall(folder) is not None


def test_a_file_that_hides_an_extended_shipped_profile_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "contoso.yaml").write_text("extends: minimal\nname: contoso\n")
    build(tmp_path)
    assert recall(tmp_path) is not None
    shutil.copy(up_to_date.__file__, tmp_path / "minimal")
    assert recall(tmp_path) is None


@pytest.mark.parametrize(
    "options",
    [
        {"only": "sensor-*"},
        {"at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"rekey": True},
        {"prune": True},
        {"seed": "x"},
        {"renew": frozenset({"certificates/given"})},
        {"delete": frozenset({"certificates/given"})},
        {"replace_root": True},
        {"force": True},
    ],
    ids=str,
)
def test_an_option_that_can_change_the_result_needs_an_ordinary_build(
    folder: Path, options: dict[str, Any]
) -> None:
    assert recall(folder, **options) is None


def test_options_of_speed_alone_do_not_matter(folder: Path) -> None:
    assert recall(folder, jobs=3, keys="pool") is not None


def test_a_change_of_the_program_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "package"
    (package / "sets").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.0.0"')
    (package / "sets/rules.yaml").write_text("a")
    monkeypatch.setattr(up_to_date, "_PACKAGE", package)
    build(folder)
    assert recall(folder) is not None
    (package / "sets/rules.yaml").write_text("ab")
    assert recall(folder) is None
    build(folder)
    before = (package / "__init__.py").stat()
    (package / "__init__.py").write_text('__version__ = "1.0.1"')
    os.utime(package / "__init__.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert recall(folder) is None


def test_a_move_of_the_profile_or_the_environment_is_noticed(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "contoso.yaml").rename(folder / "other/contoso.yaml")
    assert up_to_date.recall(folder / "other/contoso.yaml", folder / "out", BuildOptions()) is None
    (folder / "other/contoso.yaml").rename(folder / "contoso.yaml")
    (folder / "out/contoso").rename(folder / "out/renamed")
    assert recall(folder) is None


def test_another_target_of_a_link_is_noticed(folder: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(folder / "contoso.yaml", folder / f"{name}.target")
    (folder / "contoso.yaml").unlink()
    (folder / "contoso.yaml").symlink_to("one.target")
    build(folder)
    assert recall(folder) is not None
    (folder / "contoso.yaml").unlink()
    (folder / "contoso.yaml").symlink_to("two.target")
    assert recall(folder) is None


def test_a_revocation_by_command_is_noticed(folder: Path) -> None:
    assert main(["revoke", str(folder / "out/contoso"), "sensor-01"]) == 0
    assert recall(folder) is None


def test_changes_that_are_only_in_the_log_of_the_index_are_noticed(folder: Path) -> None:
    path = folder / "out/contoso/.pkigen/index.db"
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO meta VALUES ('x', 'y')")
    connection.commit()
    assert os.stat(f"{path}-wal").st_size
    assert recall(folder) is None
    connection.close()


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"environment": "contoso"}'])
def test_a_damaged_record_is_not_used(folder: Path, damage: str) -> None:
    (folder / "out/contoso/.pkigen/up-to-date.json").write_text(damage)
    assert recall(folder) is None


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_record_holds_from_its_clock_to_its_due_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    record = json.loads((folder / "out/contoso/.pkigen/up-to-date.json").read_text())

    def clock(now: int) -> None:
        monkeypatch.setattr(up_to_date, "time", SimpleNamespace(time=lambda: now, perf_counter=lambda: 0.0))

    clock(record["until"] + seconds)
    assert (recall(folder) is not None) == (seconds < 0)
    clock(record["since"] + seconds)
    assert (recall(folder) is not None) == (seconds == 0)


def test_a_build_without_a_file_is_not_recorded(tmp_path: Path) -> None:
    pkigen.build({"name": "x", "authorities": {"root": {"key": "ec-p256"}}}, out=tmp_path)
    assert not (tmp_path / "x/.pkigen/up-to-date.json").exists()


def test_notes_of_the_next_build_are_those_of_an_ordinary_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "contoso.yaml").write_text(
        "name: contoso\ndefaults: {key: ec-p256}\nauthorities: {root: {valid: 90d}}\n"
        "certificates: {old: {issuer: root}, server: {issuer: root}}\n"
    )
    build(tmp_path)
    assert recall(tmp_path) is None  # its notes can differ from those of the next build
    text = (tmp_path / "contoso.yaml").read_text().replace("old: {issuer: root}, ", "")
    (tmp_path / "contoso.yaml").write_text(text)
    messages = []
    for _ in range(2):
        capsys.readouterr()
        build(tmp_path)
        output = capsys.readouterr()
        messages.append(
            (
                re.sub(r"\(.* s\)", "", output.out),
                output.err.partition("done in")[0],
                output.err.count("Note:"),
            )
        )
    assert recall(tmp_path) is not None
    assert messages[0] == messages[1]
