"""Chromium, controlled through a pipe with the DevTools protocol."""

from __future__ import annotations

import json
import os
import select
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pkigen.matrix.browser import Browser, end_browser, judge_in_browser, remaining, start_browser
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--remote-debugging-pipe",
)


class Chromium:
    """A page of each case in a headless Chromium: path, host name, TLS. It checks no CRL.

    It trusts the anchors of each case in turn, and downloads missing CA certificates.
    """

    name = "chromium"
    looks_at: frozenset[Capability] = frozenset(("path", "host", "tls"))
    comes_with = "chromium and libnss3-tools"

    def version(self) -> str | None:
        """``Chromium 150.0.7871.100``; None if it, or certutil, is not installed."""
        if shutil.which("chromium") is None or shutil.which("certutil") is None:
            return None
        return " ".join(run("chromium", "--version").out.split()[:2]) or None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases that it can reach."""
        return judge_in_browser(_Running, cases)


class _Running(Browser):
    """A running Chromium with one tab."""

    def __init__(self, directory: Path, cases: Sequence[MatrixCase]) -> None:
        self._database = directory / ".pki" / "nssdb"
        self._anchors = frozenset[Path]()
        self._database.mkdir(parents=True)
        self._certutil("-N", "--empty-password")
        options = [*_OPTIONS, f"--user-data-dir={directory / 'profile'}"]
        options.append(f"--host-resolver-rules=MAP * {cases[0].tls}, EXCLUDE 127.0.0.1")
        if cases[0].proxy is not None:
            options.append(f"--proxy-server=http={cases[0].proxy}")
        # Chromium reads commands from descriptor 3 and writes to 4.
        shell = ("sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh")
        self._process = start_browser((*shell, "chromium", *options), directory)
        self._received, self._last_id, self._session = b"", 0, ""

    def connect(self, seconds: float) -> None:
        """Open a tab."""
        deadline = time.monotonic() + seconds
        self._frame = self._call("Target.createTarget", {"url": "about:blank"}, deadline)["targetId"]
        target = {"targetId": self._frame, "flatten": True}
        attached = self._call("Target.attachToTarget", target, deadline)
        self._session = str(attached["sessionId"])

    def open(self, case: MatrixCase, seconds: float) -> str | None:
        """Return the error of a page, "" if it opens, None if Chromium cannot request it."""
        self._trust(frozenset(case.anchors))
        # A navigation would show the error page only after three seconds.
        parameters = {
            "frameId": self._frame,
            "url": f"https://{case.host}/",
            "options": {"disableCache": True, "includeCredentials": False},
        }
        result = self._call("Network.loadNetworkResource", parameters, time.monotonic() + seconds)
        return None if result is None else str(result["resource"].get("netErrorName", ""))

    def close(self) -> None:
        """End Chromium."""
        end_browser(self._process)

    def _trust(self, anchors: frozenset[Path]) -> None:
        """Replace the trust anchors in the user's NSS database; one that NSS cannot read is not trusted."""
        for path in self._anchors - anchors:
            self._certutil("-D", "-n", path.name)
        for path in anchors - self._anchors:
            self._certutil("-A", "-a", "-t", "C,,", "-n", path.name, "-i", path)
        self._anchors = anchors

    def _certutil(self, *arguments: str | Path) -> None:
        run("certutil", "-d", f"sql:{self._database}", *arguments)

    def _call(self, method: str, parameters: dict[str, Any], deadline: float) -> Any:
        """Return the result of a command; None if Chromium rejects the command."""
        self._last_id += 1
        command: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\0")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise EOFError from None
        while True:
            message = self._message(deadline)
            if message.get("id") == self._last_id:
                return message.get("result")

    def _message(self, deadline: float) -> dict[str, Any]:
        replies = self._process.stdout
        assert replies is not None
        while b"\0" not in self._received:
            ready, _, _ = select.select([replies], [], [], remaining(deadline))
            data = os.read(replies.fileno(), 65536) if ready else b""
            if ready and not data:
                raise EOFError
            self._received += data
        line, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


CHROMIUM = register(Chromium())
