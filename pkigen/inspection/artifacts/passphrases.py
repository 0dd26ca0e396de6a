"""Reads passphrases from files: on a command line, every user of the machine could read them."""

from __future__ import annotations

import codecs
from pathlib import Path

from pkigen.errors import InputError
from pkigen.files import read_file

_MOST = 64 * 1024
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def read_passphrase(path: Path) -> bytes:
    """Return the first line of a file without its line end; InputError if it is empty.

    A byte order mark, which editors and shells of Windows write, is not part of the passphrase.
    """
    try:
        data = read_file(path, _MOST)
    except ValueError as error:
        raise InputError(f"the passphrase file {error}") from error
    for mark, codec in _UTF_16.items():
        if data.startswith(mark):
            data = data.removeprefix(mark).decode(codec, "replace").encode()
    line = data.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].removesuffix(b"\r")
    if not line:
        raise InputError(f"{path} contains no passphrase: its first line is empty")
    if b"\x00" in line:
        raise InputError(f"{path}: the passphrase in the first line must not contain a NUL character")
    return line
