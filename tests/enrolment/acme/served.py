"""`pkigen serve --enrol-port` in a process of its own, with a DNS server for its challenges in this one."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509

from pkigen.enrolment.dns import dns_server
from pkigen.environment.build.build import build
from pkigen.profile import load
from tests.cli.conftest import start
from tests.enrolment.acme.load import Directory

_PROFILE = """
name: acme
defaults: {{key: ec-p256, subject: {{O: Contoso}}, valid: 47d}}
authorities: {{root: {{}}, issuing: {{issuer: root, key: {key}}}}}
enrolment:
  sensors:
    issuer: issuing
    from_request: [subject.CN, san]
    acme: {{challenges: [dns-01], resolver: "127.0.0.1:{port}"}}
"""


@contextmanager
def txt_records() -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Serve TXT records; yields the UDP port and the records by name."""
    records = dict[str, list[str]]()
    with dns_server(lambda name: records.get(name, [])) as port:
        yield port, records


def build_environment(directory: Path, dns_port: int, key: str = "ec-p256") -> Path:
    """Build an environment whose template ``sensors`` looks up challenges at a DNS server."""
    profile = directory / "acme.yaml"
    profile.write_text(_PROFILE.format(key=key, port=dns_port))
    return build(load(profile), directory / "out").folder


class ServedEnvironment:
    """A running `pkigen serve`; ``announced`` is its output with --json."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.log = folder.parent / "serve.log"
        with self.log.open("ab") as log:
            arguments = ("serve", folder, "--port", "0", "--enrol-port", str(port), "--json")
            self.process = start(*arguments, stderr=log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text("utf-8")[-2000:]
        self.announced: dict[str, Any] = json.loads(line)

    def directory(self, records: dict[str, list[str]]) -> Directory:
        """Return the directory of the template ``sensors``."""
        issuing = self.folder / "authorities" / "issuing" / "issuing.crt"
        return Directory(
            self.announced["enrolment"][0]["url"],
            ssl.create_default_context(cafile=self.folder / "trust.pem"),
            lambda name, value: records.__setitem__(name, [value]),
            x509.load_pem_x509_certificate(issuing.read_bytes()),
        )

    def kill(self) -> None:
        """Kill the server (SIGKILL)."""
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        """Stop the server; it must not have printed a traceback."""
        self.process.send_signal(signal.SIGTERM)
        self._wait()
        assert "Traceback" not in self.log.read_text("utf-8"), self.log

    def _wait(self) -> None:
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextmanager
def served(directory: Path, key: str = "ec-p256") -> Iterator[Directory]:
    """Build an environment and serve it until the block ends."""
    with txt_records() as (port, records):
        server = ServedEnvironment(build_environment(directory, port, key))
        try:
            yield server.directory(records)
        finally:
            server.stop()
