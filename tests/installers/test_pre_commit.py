"""pre-commit installs pkigen from a repository, and its hooks accept and refuse commits."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pkigen import build
from tests.installers.test_installers import INSTALLERS, with_index
from tests.tools import ROOT, run

HOOKS = ("pkigen-validate", "pkigen-expiry", "pkigen-private-keys")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the three hooks, from a repository with the files of this checkout."""
    source, folder = tmp_path / "source", tmp_path / "repository"
    run("git", "clone", "--quiet", ROOT, source)
    for name in (".pre-commit-hooks.yaml", "pkigen"):
        target = source / name
        if target.is_dir():
            shutil.copytree(ROOT / name, target, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, target)
    _git(source, "add", "--all")
    _git(source, "commit", "--quiet", "--allow-empty", "--message", "The checkout")
    revision = run("git", "rev-parse", "HEAD", cwd=source).strip()
    folder.mkdir()
    hooks = "".join(f"      - id: {name}\n" for name in HOOKS)
    config = f"repos:\n  - repo: {source}\n    rev: {revision}\n    hooks:\n{hooks}"
    (folder / ".pre-commit-config.yaml").write_text(config)
    _git(folder, "init", "--quiet")
    return folder


def _git(folder: Path, *arguments: str) -> None:
    run("git", "-c", "user.name=test", "-c", "user.email=test@contoso.test", *arguments, cwd=folder)


def _hooks(folder: Path) -> tuple[int, str]:
    _git(folder, "add", "--all")
    command = [f"{INSTALLERS}/bin/pre-commit", "run", "--all-files", "--color", "never"]
    home = folder.parent
    environ = {**os.environ, "HOME": str(home), "PRE_COMMIT_HOME": str(home / "cache"), "PYTHONPATH": ""}
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(command, cwd=folder, env=environ, text=True, check=False, stdout=pipe, stderr=both)
    return done.returncode, done.stdout


@with_index
def test_the_hooks_accept_a_sound_repository_and_refuse_what_is_wrong(repository: Path) -> None:
    (repository / "pki.yaml").write_text(
        "name: plant\nauthorities: {root: {}}\ncertificates: {server: {issuer: root}}\n"
    )
    built = build(repository / "pki.yaml", repository.parent / "out")
    shutil.copy(built.folder / "certificates" / "server" / "server.crt", repository)
    assert _hooks(repository)[0] == 0, _hooks(repository)[1]
    shutil.copy(built.folder / "certificates" / "server" / "server.key", repository)
    (repository / "pki.yaml").write_text("name: plant\nauthorities: {root: {kye: rsa-2048}}\n")
    code, output = _hooks(repository)
    assert code == 1
    assert "server.key: contains a private key" in output
    assert "pki.yaml:2:" in output
    assert "expire within 30 days" in output
    assert output.count("Failed") == 2
