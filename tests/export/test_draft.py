"""What goes into an export: never a key for all to read, and nothing that a link leads to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pkigen.environment.environment import Environment, open_environment
from pkigen.errors import InputError
from pkigen.export import (
    TARGETS,
    ExportOptions,
    ExportResult,
    export,
)
from tests.export.conftest import PASSPHRASE


@pytest.fixture
def copied(environment: Environment, tmp_path: Path) -> Environment:
    """The environment, for a test to spoil."""
    shutil.copytree(environment.folder, tmp_path / "copy")
    return open_environment(tmp_path / "copy")


def _exported(environment: Environment, target: str = "nginx") -> ExportResult:
    return export(environment, TARGETS[target], ExportOptions(passphrases=(PASSPHRASE,)))


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16"])
def test_a_key_among_the_published_crls_is_not_exported(copied: Environment, codec: str) -> None:
    key = copied["sensor"].key.read_text()
    (copied.www / "crl" / "sensor.crl").write_bytes(key.encode(codec))
    with pytest.raises(InputError, match="would expose a private key; nothing was written"):
        _exported(copied)
    assert not (copied.folder / "export").exists()


@pytest.mark.parametrize("target", ["nginx", "kubernetes", "ansible", "systemd", "java", "limbo"])
def test_a_certificate_with_a_key_in_its_file_is_omitted(copied: Environment, target: str) -> None:
    case = copied["sensor"]
    case.certificate.write_bytes(case.certificate.read_bytes() + case.key.read_bytes())
    assert _exported(copied, target).left_out["sensor"] == "its certificate file contains a private key"


def test_a_link_among_the_published_files_is_not_followed(copied: Environment) -> None:
    (copied.www / "crl" / "secret.crl").symlink_to(copied["sensor"].certificate)
    assert not (_exported(copied).folder / "www/lab/crl/secret.crl").exists()
    crls = copied.www / "crl"
    crls.rename(copied.folder / "elsewhere")
    crls.symlink_to(copied.folder / "elsewhere")
    assert not [path for path in _exported(copied).files.unchanged if path.startswith("www/lab/crl/")]


def test_a_case_with_a_missing_file_is_omitted(copied: Environment) -> None:
    cases = copied.manifest["cases"]
    del next(one for one in cases if one["name"] == "sensor")["files"]["key"]
    assert _exported(copied).left_out["sensor"] == "it has no key file"


def test_an_encrypted_key_is_exported_without_a_passphrase(copied: Environment) -> None:
    done = _exported(copied)
    assert "locked" in done.certificates
    assert b"ENCRYPTED" in copied["locked"].key.read_bytes()
    assert (done.folder / "private/locked.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
