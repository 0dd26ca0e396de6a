"""What native code fails at as errors: cryptography panics at some input that nobody should send."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_STDERR = 2


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """What panics inside raises ValueError, and so does what cryptography takes for a failure of OpenSSL.

    pyo3's PanicException is a BaseException of no module. Native code writes what it panics at to
    stderr, arguments (passphrases) included; this goes nowhere.
    """
    _quiet.begin()
    try:
        yield
    except BaseException as error:
        if type(error).__name__ not in ("PanicException", "InternalError"):
            raise
        raise ValueError("the cryptography library cannot handle it") from error
    finally:
        _quiet.end()


class _Quiet:
    """The process's stderr turned away while any thread is inside."""

    def __init__(self) -> None:
        self._lock, self._inside, self._kept = Lock(), 0, -1

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                self._kept = os.dup(_STDERR)
            except OSError:  # there is no stderr
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or self._kept < 0:
                return
            os.dup2(self._kept, _STDERR)
            os.close(self._kept)
            self._kept = -1


_quiet = _Quiet()
