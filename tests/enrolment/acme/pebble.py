"""Pebble (Debian's package) as another ACME server: a control for clients, and a contender in benchmarks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.conftest import free_port

PEBBLE = "pebble"
_START_SECONDS = 20
_SETTINGS = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
"""Pebble without its random delays and errors, and with a validation for each order."""


@dataclass(frozen=True)
class Pebble:
    """A running Pebble: its directory, and what its clients must trust."""

    url: str
    trust: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running_pebble(
    folder: Path, dns_server: str, *, http_port: int = 80, tls_port: int = 443
) -> Iterator[Pebble]:
    """Run Pebble until the block ends; it resolves names with a DNS server (HOST:PORT)."""
    key, certificate, config = folder / "tls.key", folder / "tls.crt", folder / "pebble.json"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key))
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    command = ("openssl", "req", "-x509", *kind, *subject, "-out", str(certificate))
    subprocess.run(command, check=True, capture_output=True)
    port = free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http_port,
        "tlsPort": tls_port,
    }
    config.write_text(json.dumps({"pebble": settings}))
    with (folder / "pebble.log").open("wb") as log:
        arguments = (PEBBLE, "-config", str(config), "-dnsserver", dns_server)
        process = subprocess.Popen(
            arguments, cwd=folder, env={**os.environ, **_SETTINGS}, stdout=log, stderr=log
        )
    try:
        _wait_for(port)
        yield Pebble(f"https://localhost:{port}/dir", certificate, process)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def challenge_dns_server(folder: Path) -> Iterator[str]:
    """Run a DNS server for which every name is 127.0.0.1 (pebble-challtestsrv); yields its HOST:PORT."""
    port, management = free_port(), free_port()
    off = ("-http01", "", "-https01", "", "-tlsalpn01", "")
    address = f"127.0.0.1:{port}"
    arguments = ("-dns01", address, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "")
    command = ("pebble-challtestsrv", *arguments, "-management", f"127.0.0.1:{management}", *off)
    with (folder / "dns.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(management)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return
