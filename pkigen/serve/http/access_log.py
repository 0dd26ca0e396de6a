"""Access log with buffered writes."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TextIO

from starlette.types import Scope

from pkigen.serve.control.request_log import FAULT

# How long a line is buffered.
_DELAY_SECONDS = 0.05
_LONGEST_PATH = 512
_PLAIN = re.compile(rf"[!#-~]{{1,{_LONGEST_PATH}}}")
_NOT_PLAIN = re.compile(r'[^\x21-\x7e]|"')


class AccessLog:
    """Logs requests with status, bytes of the body and milliseconds, and writes several lines at once.

    ``12:00:00 127.0.0.1:51234 "GET /crl/root.crl HTTP/1.1" 200 1532 0.1``. ``cut`` follows if the response
    was truncated, and the status is ``-`` without a response. The ID of a fault follows in brackets.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = list[str]()
        self._second, self._time = 0, ""

    def note(self, scope: Scope, status: int, size: int, milliseconds: float, whole: bool) -> None:
        """Add the line of a request; the running event loop writes it soon."""
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
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(_DELAY_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the buffered lines."""
        lines, self._lines = "".join(self._lines), []
        self._stream.write(lines)
        self._stream.flush()


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
