"""CPU of the TLS endpoint for full TLS 1.3 handshakes: X25519, an RSA-2048 certificate, no OCSP staple.

    python -m benchmarks.handshakes PORT COUNT

Performs COUNT handshakes in a row with a port of this machine, without session resumption.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.measure import ROOT, new_folder, run
from benchmarks.rows import Row
from benchmarks.serving import free_port, process

_COUNT = 1_000
_TURNS = 3
_WORK = f"{_COUNT:,} TLS 1.3 handshakes (X25519, RSA-2048)"
_PROFILE = """\
name: handshakes
base_url: http://127.0.0.1:8080
authorities:
  root: {subject: {CN: Contoso Test Root CA}}
certificates:
  server: {issuer: root, key: rsa-2048, san: ["dns:server.contoso.test"]}
"""


def rows(limit: float, space: Path) -> Iterator[Row]:
    """CPU milliseconds of the server for a handshake; ``limit`` is the most that it may take."""
    goal = f"at most {limit:g} ms"
    if not Path("/proc/self/stat").exists():
        yield Row(_WORK, "-", "-", "-", "-", goal, None)
        return
    folder = new_folder(space)
    (folder / "handshakes.yaml").write_text(_PROFILE, encoding="utf-8")
    run((*contenders.PKIGEN, "build", "handshakes.yaml"), folder)
    port, tls_port = free_port(), free_port()
    ports = ("--port", str(port), "--tls-port", str(tls_port))
    command = (*contenders.PKIGEN, "serve", "out/handshakes", *ports)
    client = (sys.executable, "-m", "benchmarks.handshakes", str(tls_port))
    with process(command, folder, f"http://127.0.0.1:{port}/healthz") as server:
        run((*client, "50"), ROOT)
        costs = list[float]()
        for _ in range(_TURNS):
            before = cpu_seconds(server.pid)
            run((*client, str(_COUNT)), ROOT)
            costs.append(round((cpu_seconds(server.pid) - before) / _COUNT * 1000, 2))
    cost = median(costs)
    measured: dict[str, object] = {"ms of CPU for each": costs}
    yield Row(_WORK, "-", f"{cost:.1f} ms each", "-", "-", goal, cost <= limit, measured)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and its threads, 0 where the system does not report it."""
    if not sys.platform.startswith("linux"):
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _shake_hands(port: int, count: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    for _ in range(count):
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            context.wrap_socket(connection, server_hostname="server.contoso.test") as client,
        ):
            client.unwrap()


if __name__ == "__main__":
    _shake_hands(*map(int, sys.argv[1:]))
