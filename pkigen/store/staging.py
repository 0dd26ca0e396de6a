"""Files written where nobody looks yet, each entity's in a folder of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.model import File
from pkigen.store.entries import Staged
from pkigen.store.layout import STAGING, STATE
from pkigen.store.os_errors import told

_NAME = re.compile(r"(?!\.{1,2}$)[^/\\:]+")


def stage(environment: Path, files: Sequence[File]) -> Staged:
    """Write one entity's files into a new staging folder; needs no store, so any process can.

    The paths of ``files`` are plain names. Nothing is flushed: ``Store.publish`` does that for all
    that it is given. EnvironmentFailure, and nothing left behind, when the machine refuses.
    """
    name = secrets.token_hex(12)
    folder = f"{environment}/{STATE}/{STAGING}/{name}"
    written = []
    with told("write", environment):
        os.mkdir(folder, 0o700)
        try:
            for file in files:
                if not _NAME.fullmatch(file.path):
                    raise EnvironmentFailure(f"{file.path!r} is not a file name; nothing was written")
                write_new(f"{folder}/{file.path}", file.data, secret=file.secret)
                written.append((file.path, sha256(file.data).hexdigest()))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return Staged(name, tuple(written))


def write_new(path: str, data: bytes, *, secret: bool) -> None:
    """Write a file that is not there yet; a secret one is its owner's alone from the start."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600 if secret else 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
