"""Access log with buffered writes."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TextIO

from starlette.types import Scope

from pkigen.serve.control.request_log import FAULT

# How long a line may wait for others to be written together with it.
_DELAY_SECONDS = 0.05
_LONGEST_PATH = 512
_PLAIN = re.compile(rf"[!#-~]{{1,{_LONGEST_PATH}}}")
_NOT_PLAIN = re.compile(r'[^\x21-\x7e]|"')


class AccessLog:
    """Who asked what, and status, octets of the body and milliseconds of the answer.

    ``12:00:00 127.0.0.1:51234 "GET /crl/root.crl HTTP/1.1" 200 1532 0.1``. An answer that did not come to its
    end has ``cut`` after it, and a request that got none ``-`` for a status. One that is wrong on purpose has
    the fault's id after that, in brackets. ``flush`` writes what waits.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = list[str]()
        self._second, self._time = 0, ""

    def note(self, scope: Scope, status: int, octets: int, milliseconds: float, whole: bool) -> None:
        """Add the line of a request, in a running event loop, which writes it before long."""
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime("%H:%M:%S", time.localtime(second))
        host, port = scope["client"] or ("-", 0)
        if ":" in host:
            host = f"[{host}]"
        asked = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            asked += "?" + scope["query_string"].decode("latin-1")
        if not _PLAIN.fullmatch(asked):
            # What a client sent is written to a terminal: nothing of it may steer that.
            asked = _NOT_PLAIN.sub(_escaped, asked[:_LONGEST_PATH])
        fault = scope.get(FAULT)
        self._lines.append(
            f'{self._time} {host}:{port} "{scope["method"]} {asked} HTTP/{scope["http_version"]}" '
            f"{status or '-'} {octets} {milliseconds:.1f}{'' if whole else ' cut'}"
            f"{f' [{fault}]' if fault else ''}\n"
        )
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(_DELAY_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the lines that wait."""
        lines, self._lines = "".join(self._lines), []
        self._stream.write(lines)
        self._stream.flush()


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"
