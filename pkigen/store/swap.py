"""Putting a folder where another one is, at once where the system can."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system cannot."""
    call = _exchange_call()
    if call is None:
        return False
    if call(os.fsencode(first), os.fsencode(second)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(second))


@cache
def _exchange_call() -> Any:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            renameat2 = library.renameat2
            return lambda first, second: renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
        if sys.platform == "darwin":
            renamex_np = library.renamex_np
            return lambda first, second: renamex_np(first, second, _RENAME_SWAP)
    except (OSError, AttributeError, TypeError):
        pass
    return None
