"""ACME orders up to the certificate: pkigen and Pebble, with the same client loop over loopback."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.handshakes import cpu_seconds
from benchmarks.measure import Contender, Cost, in_turns, new_folder
from benchmarks.rows import Row
from tests.enrolment.acme.load import Directory, complete_orders
from tests.enrolment.acme.pebble import PEBBLE, running_pebble
from tests.enrolment.acme.served import ServedEnvironment, build_environment, txt_records

_ORDERS = 200
CONNECTIONS = 8


def rows(times: float, space: Path) -> Iterator[Row]:
    """Yield the row; ``times`` is the goal for pkigen's rate divided by Pebble's."""
    work, goal = f"ACME orders, {CONNECTIONS} connections", f"at least {times:g}x"
    if shutil.which(PEBBLE) is None:
        yield Row(work, PEBBLE, "-", f"no {PEBBLE} here", "-", goal, None)
        return
    with txt_records() as (dns_port, records):
        server = ServedEnvironment(build_environment(new_folder(space), dns_port, "rsa-2048"))
        try:
            with running_pebble(new_folder(space), f"127.0.0.1:{dns_port}") as pebble:
                ours = _orders(server.directory(records), server.process.pid)
                trust = ssl.create_default_context(cafile=pebble.trust)
                other = Directory(pebble.url, trust, server.directory(records).set_txt)
                pair = in_turns(ours, _orders(other, pebble.process.pid), space)
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
        before = cpu_seconds(pid)
        outcome = complete_orders(directory, orders=_ORDERS, connections=CONNECTIONS)
        if outcome.problems:
            raise RuntimeError(f"{len(outcome.problems)} orders failed: {outcome.problems[0]}")
        return Cost(outcome.seconds / _ORDERS, (cpu_seconds(pid) - before) / _ORDERS)

    return contend
