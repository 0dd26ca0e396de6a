"""Putting a folder where another one is, at once where the system can."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


def exchange(first: str, second: str) -> bool:
    """Exchange two folders in one step; False when that did not happen.

    The system or the file system may not know how, or a sandbox may forbid the call. Any other reason
    will also stop the two renames that the caller then makes, and they say it better.
    """
    call = _exchange_call()
    return call is not None and call(os.fsencode(first), os.fsencode(second)) == 0


@cache
def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "linux":
            renameat2 = library.renameat2
            return lambda first, second: renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
        if sys.platform == "darwin":
            renamex_np = library.renamex_np
            return lambda first, second: renamex_np(first, second, _RENAME_SWAP)
    except (OSError, AttributeError, TypeError):
        pass
    return None
