"""Writes shards to a URL of fsspec (``s3://...``), and reads them from there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.os_errors import os_error_reason
from pkigen.store import ShardFile

_CHUNK = 1 << 20


def is_url(path: str) -> bool:
    """Return whether the path of a shard's file is a URL."""
    return "://" in path


def check_destination(url: str) -> None:
    """Raise InputError for a destination that is not a URL, or whose library is not installed."""
    if not is_url(url):
        raise InputError(f"--shards-to '{url}' is not a URL such as s3://bucket/fleets")
    _filesystem(url)


def upload(path: Path, url: str) -> None:
    """Write a file to a URL; object stores make it visible only when it is complete."""
    filesystem, target = _filesystem(url)
    with _failures(url):
        if "/" in target:
            filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
        with path.open("rb") as source, filesystem.open(target, "wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)


def damage(file: ShardFile, *, verify: bool) -> str:
    """Return whether a file at a URL "is missing" or "was altered", by its size; "" if neither."""
    filesystem, target = _filesystem(file.path)
    with _failures(file.path):
        filesystem.invalidate_cache()
        if not filesystem.exists(target):
            return "is missing"
        if filesystem.size(target) != file.size:
            return "was altered"
        if verify:
            digest = sha256()
            with filesystem.open(target, "rb") as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
            return "" if digest.hexdigest() == file.sha256 else "was altered"
    return ""


def delete(url: str) -> None:
    """Delete a file at a URL, if it exists."""
    filesystem, target = _filesystem(url)
    with _failures(url):
        if filesystem.exists(target):
            filesystem.rm(target)


@contextmanager
def downloaded(url: str) -> Iterator[Path]:
    """Copy a file from a URL to a temporary directory that only the user can read."""
    filesystem, target = _filesystem(url)
    with TemporaryDirectory(prefix="pkigen-") as folder:
        path = Path(folder) / url.rpartition("/")[2]
        with _failures(url):
            filesystem.get(target, str(path))
        yield path


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        raise InputError("a URL for shards needs a library: pip install 'pkigen[dask]'") from error
    try:
        filesystem, target = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise InputError(f"{url} needs a library that is not installed: {error}") from error
    except ValueError as error:
        raise InputError(f"{url} is not a URL that fsspec knows: {error}") from error
    return filesystem, str(target)


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """Raise the errors of a remote file system as EnvironmentFailure."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(f"{url}: {os_error_reason(error)}") from error
    except Exception as error:
        # Each implementation has errors of its own, such as those of botocore.
        raise EnvironmentFailure(f"{url}: {type(error).__name__}: {error}") from error
