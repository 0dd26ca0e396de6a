"""Runs rsyslogd as a receiver of syslog over TLS, in its own directory."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pkigen.environment.environment import Case

_SECONDS = 20.0
# What rsyslog has parsed, one JSON object for a message.
_FIELDS = {
    "pri": "pri",
    "version": "protocol-version",
    "at": "timereported",
    "hostname": "hostname",
    "app": "app-name",
    "procid": "procid",
    "msgid": "msgid",
    "data": "structured-data",
    "msg": "msg",
}


@dataclass(frozen=True)
class Rsyslog:
    """The pipe that it writes to."""

    _pipe: int

    def message(self) -> dict[str, str]:
        """The next message that it took, by fields; AssertionError when none comes."""
        line = bytearray()
        while not line.endswith(b"\n"):
            assert select.select([self._pipe], [], [], _SECONDS)[0], f"rsyslog took nothing more: {line!r}"
            line += os.read(self._pipe, 1)
        record: dict[str, str] = json.loads(line)
        return record


def _settings(folder: Path, case: Case, port: int) -> str:
    fields = "\n".join(
        f'  property(name="{name}" outname="{key}" format="jsonf"'
        + (' dateFormat="rfc3339"' if name == "timereported" else "")
        + ')\n  constant(value=",")'
        for key, name in _FIELDS.items()
    ).rpartition("\n")[0]
    return f"""\
global(workDirectory="{folder}" maxMessageSize="64k"
  defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{folder}/chain.pem"
  defaultNetstreamDriverCertFile="{folder}/certificates.pem" defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="fields" type="list") {{
  constant(value="{{")
{fields}
  constant(value="}}\\n")
}}
ruleset(name="alerts") {{ action(type="ompipe" pipe="{folder}/taken" template="fields") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="alerts")
"""


@contextmanager
def rsyslog(folder: Path, case: Case, port: int) -> Iterator[Rsyslog]:
    """It, with the certificate of a case, as long as the block runs."""
    folder.mkdir(exist_ok=True)
    chain = case.chain.read_bytes()
    (folder / "chain.pem").write_bytes(chain)
    (folder / "certificates.pem").write_bytes(case.certificate.read_bytes() + chain)
    shutil.copy(case.key, folder / "key.pem")
    (folder / "rsyslog.conf").write_text(_settings(folder, case, port))
    if not (folder / "taken").exists():
        os.mkfifo(folder / "taken")
    pipe = os.open(folder / "taken", os.O_RDWR)
    command = ("rsyslogd", "-n", "-f", folder / "rsyslog.conf", "-i", folder / "pid")
    with (folder / "said").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        assert _wait_for(port, process), f"rsyslogd does not listen: {(folder / 'said').read_text()}"
        yield Rsyslog(pipe)
    finally:
        process.terminate()
        process.wait(_SECONDS)
        os.close(pipe)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Until it listens; whether it does."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False
