"""One small environment to export, sound and wrong, and real programs started on what came of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.export import (
    TARGETS,
    ExportOptions,
    ExportResult,
    export,
)

_PATIENCE = 300
"""Seconds that a program may take on a machine that is busy with other tests."""

PASSPHRASE = b"open sesame"
PROFILE: dict[str, Any] = {
    "name": "contoso-ot",
    "base_url": "http://pki.contoso.test:8080/lab",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {
        "gateway": {"issuer": "issuing", "san": ["ip:10.1.0.7"]},
        "sensor": {
            "issuer": "issuing",
            "key": "rsa-2048",
            "subject": {"CN": "sensor.contoso.test"},
            "san": ["dns:sensor.contoso.test", "dns:also.contoso.test", "ip:10.1.0.10"],
        },
        "twin": {"issuer": "issuing", "san": ["dns:sensor.contoso.test"]},
        "edge": {"issuer": "issuing", "san": ["dns:*.Edge.contoso.test"]},
        "locked": {
            "issuer": "issuing",
            "subject": {"CN": "locked.contoso.test"},
            "passphrase": PASSPHRASE.decode(),
        },
        "retired": {
            "issuer": "issuing",
            "subject": {"CN": "retired.contoso.test"},
            "revoked": {"reason": "keyCompromise", "at": "-2d"},
        },
    },
    "negatives": [
        {
            "of": "sensor",
            "faults": [
                "expired",
                "key-mismatch",
                "key-encrypted",
                "chain-key-in-chain-file",
                "chain-missing-intermediate",
                "pem-crlf",
                "pem-utf16",
                "sig-md5",
                "tls-no-certificate",
                "crl-http-404",
                "ocsp-revoked",
            ],
        }
    ],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_ports() -> tuple[int, int]:
    """For CRLs and for TLS."""
    return free_port(), free_port()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that servers reach which give up root's rights."""
    with TemporaryDirectory(prefix="pkigen-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("exports"))


Export = Callable[..., ExportResult]


@pytest.fixture
def exported(environment: Environment, tmp_path: Path) -> Export:
    """Export to a target, into a directory of its name."""

    def run(target: str, **options: Any) -> ExportResult:
        options = {"out": tmp_path / target, **options}
        return export(environment, TARGETS[target], ExportOptions(**options))

    return run


@dataclass(frozen=True)
class Served:
    """A program that serves an export: its directory and its ports."""

    folder: Path
    port: int
    tls_port: int

    def curl(self, url: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Run curl for a URL whose host resolves to this machine, with trust.pem as trust anchors."""
        host, port = url.split("/")[2].rsplit(":", 1)
        resolve = ("--resolve", f"{host}:{port}:127.0.0.1", "--cacert", str(self.folder / "trust.pem"))
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", *resolve, *more, url]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)

    def page(self, host: str) -> str:
        """The page of a host; AssertionError when there is no handshake with a sound certificate."""
        done = self.curl(f"https://{host}:{self.tls_port}/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, host: str) -> str:
        """Why curl refuses a host's certificate."""
        done = self.curl(f"https://{host}:{self.tls_port}/")
        assert done.returncode != 0
        return done.stderr

    def fingerprint(self, host: str | None) -> str:
        """SHA-256 of the certificate that is presented to who asks for a host, or for none."""
        name = ("-servername", host) if host else ("-noservername",)
        text = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls_port}", *name],
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        ).stdout
        output = subprocess.run(
            ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return output.partition("=")[2].strip().replace(":", "").lower()


@contextmanager
def running(command: list[str], folder: Path, *ports: int, user: str | None = None) -> Iterator[None]:
    """A program in the foreground, from when it listens at all ports until the end of the block.

    ``user`` runs it; only root can choose another one.
    """
    output = folder / "said.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=user,
        )
        try:
            for port in ports:
                _until_it_listens(port, process, output)
            yield
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Scripts such as apachectl start the program as a child, so the whole group ends."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=_PATIENCE)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("the program does not end")


def _until_it_listens(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nothing listens at {port}: {output.read_text(errors='replace')}")
