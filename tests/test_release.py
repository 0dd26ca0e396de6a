"""`scripts/release.sh`, with a few modules of the package: what it builds, and what it refuses."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pkigen
from tests.tools import ROOT, run


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a few files of the checkout: compressing all of them takes half a minute."""
    for pattern in (
        "*.md",
        "LICENSE",
        "pyproject.toml",
        "scripts/release.sh",
        "pkigen/*.py",
        "profiles/minimal.yaml",
    ):
        for path in ROOT.glob(pattern):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
    (tmp_path / ".gitignore").write_text("dist/\n")
    _git(tmp_path, "init", "--quiet")
    _commit(tmp_path)
    return tmp_path


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@contoso.test")
    run("git", *identity, "-c", "commit.gpgsign=false", *arguments, cwd=folder)


def _commit(folder: Path) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "Changes of the test")


def _release(folder: Path) -> tuple[int, str]:
    command = [str(folder / "scripts" / "release.sh"), sys.executable]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def test_a_release_has_checksums_and_the_notes_of_its_version(clone: Path) -> None:
    code, output = _release(clone)
    assert code == 0, output
    dist = clone / "dist"
    sums = [line.split() for line in (dist / "SHA256SUMS").read_text().splitlines()]
    listed = {name: digest for digest, name in sums}
    assert listed.keys() == {path.name for path in dist.iterdir()} - {"SHA256SUMS", "RELEASE_NOTES.md"}
    assert {re.sub(r".*\.(whl|gz)$", r"\1", name) for name in listed} == {"whl", "gz"}
    for name, digest in listed.items():
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
        assert f"pkigen-{pkigen.__version__}" in name
    assert "\n## " not in (dist / "RELEASE_NOTES.md").read_text("utf-8")
    assert "### Changed" in (dist / "RELEASE_NOTES.md").read_text("utf-8")


def _uncommitted(folder: Path) -> str:
    (folder / "note.txt").write_text("not committed")
    return "note.txt"


def _without_notes(folder: Path) -> str:
    path = folder / "CHANGELOG.md"
    path.write_text(path.read_text("utf-8").replace(f"## [{pkigen.__version__}]", "## [0.0.1]"), "utf-8")
    _commit(folder)
    return f"CHANGELOG.md has no section '## [{pkigen.__version__}]"


def _random_builds(folder: Path) -> str:
    # hatchling's own hooks are part of pyproject.toml: this one writes the time into the package.
    path = folder / "pyproject.toml"
    path.write_text(path.read_text("utf-8") + "\n[tool.hatch.build.hooks.custom]\n", "utf-8")
    (folder / "hatch_build.py").write_text(
        "import pathlib, time\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        pathlib.Path(self.root, 'pkigen', 'time.txt').write_text(str(time.time_ns()))\n"
    )
    _commit(folder)
    return "two builds of the same commit differ"


def _another_commit_is_tagged(folder: Path) -> str:
    _git(folder, "tag", f"v{pkigen.__version__}")
    (folder / "note.txt").write_text("committed")
    _commit(folder)
    return f"the tag v{pkigen.__version__} is another commit"


@pytest.mark.parametrize("spoil", [_uncommitted, _without_notes, _random_builds, _another_commit_is_tagged])
def test_a_release_is_refused(clone: Path, spoil: object) -> None:
    assert callable(spoil)
    expected = spoil(clone)
    code, output = _release(clone)
    assert (code, expected in output) == (1, True), output
    assert not (clone / "dist").exists()
