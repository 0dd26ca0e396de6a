"""A server that runs with an exported configuration, and a client that tries its certificate at it."""

from __future__ import annotations

import ssl
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from socket import create_connection
from typing import ClassVar

from pkigen.export import ExportResult

PATIENCE = 60


@dataclass(frozen=True)
class Client:
    """A client with the exported files of a certificate; it trusts the environment's trust anchors."""

    directory: Path
    name: str

    @property
    def certificate(self) -> Path:
        """The certificate with its path."""
        return self.directory / f"certs/{self.name}.pem"

    @property
    def key(self) -> Path:
        """The private key."""
        return self.directory / f"private/{self.name}.key"

    @property
    def anchors(self) -> Path:
        """The trust anchors."""
        return self.directory / "trust.pem"

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context; it does not check the host name."""
        context = ssl.create_default_context(cafile=str(self.anchors))
        context.check_hostname = False
        context.load_cert_chain(self.certificate, self.key)
        return context

    def exchange(self, port: int, *requests: bytes, before: tuple[bytes, bytes] = (b"", b"")) -> bytes:
        """Return what a server answers over TLS to the last request; empty if it ends the connection.

        ``before`` is what is sent before the handshake, and what the server answers to that.
        """
        with create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            if before[0]:
                connection.sendall(before[0])
                assert connection.recv(len(before[1])) == before[1]
            answer = b""
            try:
                with self.context.wrap_socket(connection) as protected:
                    for request in requests:
                        protected.sendall(request)
                        answer = protected.recv(4096)
            except (ssl.SSLError, ConnectionError):
                return b""
            return answer


class Program(ABC):
    """A server: the program that a test needs, its target, and the user if it refuses to run as root.

    ``ready`` is the message of a server that has no TCP port, or listens before it accepts clients.
    """

    tool: ClassVar[str]
    target: ClassVar[str]
    user: ClassVar[str | None] = None
    ready: ClassVar[str] = ""

    @abstractmethod
    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Prepare what the server needs, and return the command that runs it in the foreground.

        It runs in the directory of the export, and presents the certificate of ``server``.
        """

    @abstractmethod
    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server accepts a client's certificate."""


def run(command: list[str], user: str | None) -> None:
    """Run a command as a user; AssertionError if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, user=user, cwd="/"
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def succeeds(command: list[str]) -> bool:
    """Return whether a command exits with 0."""
    return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE).returncode == 0
