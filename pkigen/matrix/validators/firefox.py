"""Firefox, controlled with the Marionette protocol."""

from __future__ import annotations

import json
import shutil
import socket
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pkigen.errors import EnvironmentFailure
from pkigen.inspection.artifacts import read
from pkigen.matrix.browser import Browser, end_browser, judge_in_browser, remaining, start_browser
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_PROGRAMS = ("firefox-esr", "firefox")
_POLL = 0.05
_SETTINGS: dict[str, object] = {
    "marionette.port": 0,
    "network.dns.forceResolve": "127.0.0.1",
    "network.proxy.type": 1,
    "network.trr.mode": 5,
    # Nothing that Firefox downloads in the background may change a verdict.
    "security.remote_settings.intermediates.enabled": False,
    "security.remote_settings.crlite_filters.enabled": False,
    "services.settings.server": "data:,",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
}

_TRUST = """
const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
for (const one of globalThis.pkigenAnchors ?? []) database.deleteCertificate(one);
globalThis.pkigenAnchors = arguments[0].map(der => database.addCertFromBase64(der, "C,,"));
"""
_OPEN = """
const [url, done] = arguments;
const {NetUtil} = ChromeUtils.importESModule("resource://gre/modules/NetUtil.sys.mjs");
const channel = NetUtil.newChannel({uri: url, loadUsingSystemPrincipal: true});
const nameOf = status => Object.keys(Cr).find(name => Cr[name] === status) ?? "0x" + status.toString(16);
NetUtil.asyncFetch(channel, (stream, status) => {
    done(Components.isSuccessCode(status) ? "" : channel.securityInfo?.errorCodeString || nameOf(status));
});
"""


class Firefox:
    """A request for the page of each case by a headless Firefox: path, host name, TLS. It checks no CRL."""

    name = "firefox"
    looks_at: frozenset[Capability] = frozenset(("path", "host", "tls"))
    comes_with = "firefox-esr"

    def version(self) -> str | None:
        """``Firefox 153.8.0esr``; None if it is not installed."""
        program = _program()
        return run(program, "--version").out.strip().removeprefix("Mozilla ") or None if program else None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by the names of the cases that it can reach."""
        return judge_in_browser(_Running, cases)


class _Running(Browser):
    """A running Firefox, which trusts the anchors of one case at a time."""

    def __init__(self, directory: Path, cases: Sequence[MatrixCase]) -> None:
        profile = directory / "profile"
        profile.mkdir()
        settings = dict(_SETTINGS)
        if cases[0].proxy is not None:
            host, _, port = cases[0].proxy.rpartition(":")
            settings |= {"network.proxy.http": host, "network.proxy.http_port": int(port)}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items())
        (profile / "user.js").write_text("\n".join(lines) + "\n", "utf-8")
        options = ("--headless", "--no-remote", "--profile", profile, "--marionette")
        command = (_program() or _PROGRAMS[0], *options, "--remote-allow-system-access")
        self._process = start_browser(command, directory)
        self._port_file = profile / "MarionetteActivePort"
        self._received, self._last_id, self._anchors = b"", 0, tuple[Path, ...]()
        self._socket = socket.socket()

    def connect(self, seconds: float) -> None:
        """Start a Marionette session with the privileges of the browser."""
        deadline = time.monotonic() + seconds
        self._socket.connect(("127.0.0.1", self._port(deadline)))
        self._message(deadline)  # Marionette introduces itself.
        self._call("WebDriver:NewSession", {}, deadline)
        self._call("Marionette:SetContext", {"value": "chrome"}, deadline)

    def open(self, case: MatrixCase, seconds: float) -> str | None:
        """Return the error of a page, "" if it opens."""
        deadline = time.monotonic() + seconds
        assert case.tls is not None
        if case.anchors != self._anchors:
            anchors = [b64encode(der).decode() for path in case.anchors for der in _certificates(path)]
            self._call("WebDriver:ExecuteScript", {"script": _TRUST, "args": [anchors]}, deadline)
            self._anchors = case.anchors
        url = f"https://{case.host}:{case.tls.rpartition(':')[2]}/"
        script = {"script": _OPEN, "args": [url], "scriptTimeout": int(seconds * 1000)}
        return str(self._call("WebDriver:ExecuteAsyncScript", script, deadline)["value"])

    def close(self) -> None:
        """End Firefox."""
        end_browser(self._process)
        self._socket.close()

    def _port(self, deadline: float) -> int:
        """Wait until Firefox has written the port of Marionette."""
        while not self._port_file.is_file() or not self._port_file.read_text().strip():
            if self._process.poll() is not None:
                raise EOFError
            time.sleep(min(_POLL, remaining(deadline)))
        return int(self._port_file.read_text())

    def _call(self, method: str, parameters: dict[str, Any], deadline: float) -> Any:
        """Return the result of a command; TimeoutError for a script that takes too long."""
        self._last_id += 1
        command = json.dumps([0, self._last_id, method, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(command), command))
        while True:
            _, number, error, result = self._message(deadline)
            if number == self._last_id:
                break
        if error is None:
            return result
        raise TimeoutError if error["error"] == "script timeout" else EnvironmentFailure(error["message"])

    def _message(self, deadline: float) -> Any:
        while (length := self._received.partition(b":"))[1] == b"" or len(length[2]) < int(length[0]):
            self._socket.settimeout(remaining(deadline))
            data = self._socket.recv(65536)
            if not data:
                raise EOFError
            self._received += data
        size, _, rest = self._received.partition(b":")
        message, self._received = rest[: int(size)], rest[int(size) :]
        return json.loads(message)


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def _certificates(path: Path) -> list[bytes]:
    """Return the certificates of a PEM file."""
    return [artifact.der for artifact in read(path.read_bytes(), path.name) if artifact.der]


FIREFOX = register(Firefox())
