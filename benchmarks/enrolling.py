"""ACME orders up to the certificate: pkigen and Pebble, with the same client loop over loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, Contender, Cost, in_turns, new_folder
from benchmarks.rows import Row
from tests.enrolment.acme.load import Directory, complete_orders
from tests.enrolment.acme.served import ServedEnvironment, build_environment, txt_records

PEBBLE = "pebble"
_ORDERS = 200
_CONNECTIONS = 8
_START_SECONDS = 20
_SETTINGS = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
"""Pebble without its random delays and errors, and with a validation for each order."""


def rows(times: float, space: Path) -> Iterator[Row]:
    """Yield the row; ``times`` is the goal for pkigen's rate divided by Pebble's."""
    work, goal = f"ACME orders, {_CONNECTIONS} connections", f"at least {times:g}x"
    if shutil.which(PEBBLE) is None:
        yield Row(work, PEBBLE, "-", f"no {PEBBLE} here", "-", goal, None)
        return
    with txt_records() as (dns_port, records):
        server = ServedEnvironment(build_environment(new_folder(space), dns_port, "rsa-2048"))
        try:
            with _pebble(new_folder(space), dns_port, records) as (process, directory):
                ours = _orders(server.directory(records), server.process.pid)
                pair = in_turns(ours, _orders(directory, process.pid), space)
        finally:
            server.stop()
    faster = 1 / pair.ratio
    a, b = (f"{1 / median(cost.wall for cost in costs):,.0f}/s" for costs in (pair.ours, pair.other))
    measured: dict[str, object] = {
        "ours a second": [round(1 / cost.wall, 1) for cost in pair.ours],
        "other a second": [round(1 / cost.wall, 1) for cost in pair.other],
        "ours CPU ms of the server": [round(1000 * cost.cpu, 2) for cost in pair.ours],
        "other CPU ms of the server": [round(1000 * cost.cpu, 2) for cost in pair.other],
        "ratio": round(faster, 4),
    }
    yield Row(work, PEBBLE, a, b, f"{faster:.2f}x", goal, faster >= times, measured)


def _orders(directory: Directory, pid: int) -> Contender:
    """Return the contender whose cost is that of one order: wall clock, and CPU of the server."""

    def contend(_folder: Path) -> Cost:
        before = _cpu_seconds(pid)
        outcome = complete_orders(directory, orders=_ORDERS, connections=_CONNECTIONS)
        if outcome.problems:
            raise RuntimeError(f"{len(outcome.problems)} orders failed: {outcome.problems[0]}")
        return Cost(outcome.seconds / _ORDERS, (_cpu_seconds(pid) - before) / _ORDERS)

    return contend


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, 0 where the system does not report it."""
    if not sys.platform.startswith("linux"):
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _pebble(
    folder: Path, dns_port: int, records: dict[str, list[str]]
) -> Iterator[tuple[subprocess.Popen[bytes], Directory]]:
    """Run Pebble until the block ends; yields its process and its directory."""
    key, certificate, config = folder / "tls.key", folder / "tls.crt", folder / "pebble.json"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key))
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    command = ("openssl", "req", "-x509", *kind, *subject, "-out", str(certificate))
    subprocess.run(command, check=True, capture_output=True)
    port, management_port = _free_port(), _free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management_port}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
    }
    config.write_text(json.dumps({"pebble": settings}))
    with (folder / "pebble.log").open("wb") as log:
        arguments = (PEBBLE, "-config", str(config), "-dnsserver", f"127.0.0.1:{dns_port}")
        process = subprocess.Popen(
            arguments, cwd=ROOT, env={**os.environ, **_SETTINGS}, stdout=log, stderr=log
        )
    try:
        _wait_for(port)
        trust = ssl.create_default_context(cafile=certificate)
        url = f"https://localhost:{port}/dir"
        yield process, Directory(url, trust, lambda name, value: records.__setitem__(name, [value]))
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
