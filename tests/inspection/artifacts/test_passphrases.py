"""Passphrases out of files that any editor wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.inspection.artifacts import read_passphrase


@pytest.mark.parametrize(
    ("data", "passphrase"),
    [
        (b"secret", b"secret"),
        (b"secret\n", b"secret"),
        (b"secret\r\n", b"secret"),
        (b" with spaces \nand a comment\n", b" with spaces "),
        ("\ufeffgrün\r\n".encode(), "grün".encode()),
        ("\ufeffgrün\r\n".encode("utf-16-le"), "grün".encode()),
        ("\ufeffgrün\r\n".encode("utf-16-be"), "grün".encode()),
        (b"\xfc not utf-8\n", b"\xfc not utf-8"),
    ],
)
def test_the_passphrase_is_the_first_line(tmp_path: Path, data: bytes, passphrase: bytes) -> None:
    (tmp_path / "pass").write_bytes(data)
    assert read_passphrase(tmp_path / "pass") == passphrase


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"\nsecret\n", b"se\x00cret"])
def test_a_file_without_a_passphrase_is_reported_and_its_text_is_not(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pass").write_bytes(data)
    with pytest.raises(InputError, match="passphrase") as caught:
        read_passphrase(tmp_path / "pass")
    assert "cret" not in str(caught.value)


def test_a_missing_or_huge_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"passphrase file .* cannot be read: No such file"):
        read_passphrase(tmp_path / "none")
    (tmp_path / "huge").write_bytes(b"x" * 100_000)
    with pytest.raises(InputError, match="is larger than"):
        read_passphrase(tmp_path / "huge")
