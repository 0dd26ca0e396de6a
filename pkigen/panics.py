"""Panics of native code as errors: cryptography has some for input that nobody should send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """What panics inside raises ValueError: pyo3's PanicException is a BaseException of no module."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the cryptography library cannot handle it") from error
