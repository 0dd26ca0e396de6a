"""What the machine refuses: one clear line, nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.fakes import generations, publish

_PROFILE = """
name: small
defaults: {key: ec-p256}
authorities: {root: {}}
certificates: {"host-{001..400}": {issuer: root}}
"""


def _build(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "profile.yaml").write_text(_PROFILE)
    command = [sys.executable, "-m", "pkigen", "build", str(folder / "profile.yaml")]
    out = ["--out", str(folder / "out")]
    return subprocess.run([*command, *out], capture_output=True, text=True, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k,mode=755", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_the_rest_stays_whole(small_disk: Path) -> None:
    done = _build(small_disk)
    assert done.returncode == 3
    assert "the disk is full; make room and run the build again" in done.stderr
    assert "Traceback" not in done.stderr
    found = list((small_disk / "out/small/certificates").glob("*"))
    assert all((entity / f"{entity.name}.key").exists() for entity in found)


_AS_SOMEBODY_ELSE = """
import os, sys
from pkigen import EnvironmentFailure, build
profile = {"name": "small", "defaults": {"key": "ec-p256"}, "authorities": {"root": {}}}
build(profile, sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    build(profile, sys.argv[2])
except EnvironmentFailure as error:
    print(error, error.exit_code)
"""


@pytest.mark.skipif(os.name != "posix", reason="folders have other permissions elsewhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    refused = tmp_path / "refused"
    refused.mkdir(mode=0o500)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    command = [sys.executable, "-c", _AS_SOMEBODY_ELSE, str(tmp_path / "ours"), str(refused)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "permission denied; name a folder of yours with --out" in done.stdout
    assert done.stdout.endswith("3\n")
    assert list(refused.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = _build(tmp_path)
    assert done.returncode == 3
    assert "a file is where a folder must be" in done.stderr


def test_what_was_published_before_survives_a_refusal(tmp_path: Path) -> None:
    env = tmp_path / "env"
    publish(env, "a")
    (env / "www" / "crl").rmdir()
    (env / "www" / "crl").write_text("")
    with pytest.raises(Exception, match="something else is where a folder must be"):
        publish(env, "a", generation=1)
    assert generations(env) == {"a": {"0"}}
