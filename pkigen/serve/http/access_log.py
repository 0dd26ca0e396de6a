"""Access log with buffered writes, which never waits for the reader of a pipe."""

from __future__ import annotations

import asyncio
import os
import re
import select
import stat
import struct
import sys
import time
from collections import deque
from typing import TextIO

from starlette.types import Scope

from pkigen.serve.control.request_log import FAULT

# How long a line is buffered.
_DELAY_SECONDS = 0.05
_LONGEST_PATH = 512
_MOST_LINES = 10_000
"""Lines that wait for a reader; more are dropped."""
_PIECE = 4096
"""Bytes that a pipe takes without blocking when poll reports room (PIPE_BUF)."""
_MOST_UNREAD = 16 * 1024
"""Unread bytes in the pipe; the rest of its 64 KiB is for messages of other code, which would block."""
_PATIENCE_SECONDS = 1.0
_PLAIN = re.compile(rf"[!#-~]{{1,{_LONGEST_PATH}}}")
_NOT_PLAIN = re.compile(r'[^\x21-\x7e]|"')


class AccessLog:
    """Logs requests with status, bytes of the body and milliseconds, and writes several lines at once.

    ``12:00:00 127.0.0.1:51234 "GET /crl/root.crl HTTP/1.1" 200 1532 0.1``. ``cut`` follows if the response
    was truncated, and the status is ``-`` without a response. The ID of a fault follows in brackets.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = _blocking_descriptor(stream)
        self._lines = deque[str]()
        self._dropped = 0
        self._is_scheduled = False
        self._second, self._time = 0, ""

    def note(self, scope: Scope, status: int, size: int, milliseconds: float, whole: bool) -> None:
        """Add the line of a request; the running event loop writes it soon.

        The line is dropped if too many wait because nobody reads the log.
        """
        if len(self._lines) >= _MOST_LINES:
            self._dropped += 1
            return
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime("%H:%M:%S", time.localtime(second))
        host, port = scope["client"] or ("-", 0)
        if ":" in host:
            host = f"[{host}]"
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        if not _PLAIN.fullmatch(target):
            # Escape control characters, because the log may be a terminal.
            target = _NOT_PLAIN.sub(_escaped, target[:_LONGEST_PATH])
        fault = scope.get(FAULT)
        self._lines.append(
            f'{self._time} {host}:{port} "{scope["method"]} {target} HTTP/{scope["http_version"]}" '
            f"{status or '-'} {size} {milliseconds:.1f}{'' if whole else ' cut'}"
            f"{f' [{fault}]' if fault else ''}\n"
        )
        self._schedule()

    def flush(self) -> None:
        """Write the buffered lines, as long as somebody reads them."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while self._lines and time.monotonic() < ends:
            if self._write():
                ends = time.monotonic() + _PATIENCE_SECONDS
            elif self._lines:
                time.sleep(_DELAY_SECONDS)

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(_DELAY_SECONDS, self._write_soon)

    def _write_soon(self) -> None:
        self._is_scheduled = False
        self._write()
        if self._lines:
            self._schedule()

    def _write(self) -> int:
        """Write the lines for which there is room; return their number."""
        count = 0
        while self._lines and self._has_room():
            piece = [self._lines.popleft()]
            size = len(piece[0])
            while self._lines and (self._descriptor is None or size + len(self._lines[0]) <= _PIECE):
                piece.append(self._lines.popleft())
                size += len(piece[-1])
            if not self._lines and self._dropped:
                piece.append(f"{self._time} {self._dropped} requests are missing: the log was not read\n")
                self._dropped = 0
            count += len(piece)
            try:
                self._stream.write("".join(piece))
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody reads the log any more.
                self._lines.clear()
        return count

    def _has_room(self) -> bool:
        """Whether a piece can be written without waiting."""
        if self._descriptor is None or sys.platform == "win32":
            return True
        import fcntl
        import termios

        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(0):
            return False
        try:
            (unread,) = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, b"\0" * 4))
        except OSError:
            return True
        return int(unread) <= _MOST_UNREAD


def _blocking_descriptor(stream: TextIO) -> int | None:
    """Return the descriptor of a stream whose reader may be slow: a pipe, a socket or a terminal."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError, AttributeError):
        return None
    return None if is_file else descriptor


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
