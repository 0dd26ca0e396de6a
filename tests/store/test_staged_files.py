"""Digests of files: they cover the whole file, and only regular files have one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from pkigen.store.staged_files import file_digest


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000])
def test_the_digest_of_a_file_covers_all_of_it(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(data)
    assert file_digest(str(tmp_path / "file")) == sha256(data).hexdigest()


def test_a_directory_and_a_link_have_no_digest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for path in (tmp_path, tmp_path / "link", tmp_path / "missing"):
        with pytest.raises(OSError, match="Errno"):
            file_digest(str(path))
