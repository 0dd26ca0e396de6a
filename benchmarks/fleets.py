"""Fleets: 10,000 certificates in Parquet against the bare work, growth, a rebuild of nothing, OCSP.

    python -m benchmarks.fleets ENVIRONMENT

Prints the seconds that the responder takes for a response about a certificate that nobody asked for yet.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.measure import REPEATS, ROOT, Contender, Cost, in_turns, new_folder, peak_memory, run
from benchmarks.rows import Row

_PROFILE = """\
name: fleet
base_url: http://127.0.0.1:8080
defaults:
  subject: {{C: US, O: Contoso Inc., OU: Contoso Labs}}
  key: ec-p256
authorities:
  root: {{subject: {{CN: Contoso Test Root CA}}}}
  issuing: {{issuer: root, subject: {{CN: Contoso OT Issuing CA}}, path_length: 0, ocsp: {{}}}}
fleets:
  sensor:
    count: {count}
    issuer: issuing
    subject: {{CN: "{{{{ name }}}}.contoso.test"}}
    revoked: {{every: {every}}}
    shard: {shard}
    to: [{form}]
"""
_REVOKED = 100
_RESPONSES = 400


def _command(folder: Path, count: int, *, form: str = "parquet") -> tuple[str, ...]:
    profile = folder / "fleet.yaml"
    shard = min(10_000, -(-count // 4))
    text = _PROFILE.format(count=count, every=max(count // _REVOKED, 1), shard=shard, form=form)
    profile.write_text(text, encoding="utf-8")
    return contenders.build(profile, folder)


def _cpu(contender: Contender) -> Contender:
    """Measure CPU instead of wall clock."""

    def measured(folder: Path) -> Cost:
        cost = contender(folder)
        return replace(cost, wall=cost.cpu)

    return measured


def _fleet(count: int) -> Contender:
    return lambda folder: run(_command(folder, count), folder)


def _bare(count: int, limit: float, space: Path) -> Iterator[Row]:
    pair = in_turns(_cpu(_fleet(count)), _cpu(contenders.bare("fresh", "ec-p256", count)), space)
    ours, other = (median(cost.wall for cost in costs) for costs in (pair.ours, pair.other))
    measured: dict[str, object] = {
        "ours cpu": [round(cost.wall, 3) for cost in pair.ours],
        "other cpu": [round(cost.wall, 3) for cost in pair.other],
        "ratio": round(pair.ratio, 4),
    }
    work = f"fleet of {count:,} EC P-256, Parquet"
    cells = f"{ours:.2f} s CPU", f"{other:.2f} s CPU", f"{pair.ratio:.2f}x"
    yield Row(work, "bare keys + signing", *cells, f"at most {limit:g}x", pair.ratio <= limit, measured)


def _growth(counts: tuple[int, ...], space: Path) -> Iterator[Row]:
    """CPU, memory and the manifest for each size; the exponent is that of the CPU between two sizes."""
    before: tuple[int, float, float] | None = None
    for count in counts:
        folder = new_folder(space)
        cpu = run(_command(folder, count), folder).cpu
        manifest = (folder / "out" / "fleet" / "manifest.json").stat().st_size
        again = new_folder(space)
        peak = peak_memory(_command(again, count), again) or 0
        exponent = math.log(cpu / before[1]) / math.log(count / before[0]) if before else 1.0
        level = peak / before[2] if before and before[2] else 1.0
        reached = exponent <= 1.05 and peak < 300 and manifest < 1_000_000
        measured: dict[str, object] = {
            "ours cpu": round(cpu, 2),
            "ours MiB": round(peak, 1),
            "manifest": manifest,
            "exponent": round(exponent, 3),
        }
        goal = "linear, under 300 MiB, manifest under 1 MB"
        cells = f"{cpu:.1f} s CPU", f"{peak:.0f} MiB", f"^{exponent:.2f}, {level:.2f}x"
        yield Row(f"fleet of {count:,} EC P-256", "-", *cells, goal, reached, measured)
        before = count, cpu, peak


def _unchanged(count: int, limit: float, space: Path) -> Iterator[Row]:
    folder = new_folder(space)
    command = _command(folder, count)
    run(command, folder)
    costs = [run(command, folder).cpu for _ in range(REPEATS)]
    cpu, measured = median(costs), {"ours cpu": costs}
    work = f"fleet of {count:,}, build again"
    goal = f"at most {limit:g} s"
    yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", goal, cpu <= limit, {**measured})


def _ocsp(counts: tuple[int, int], limit: float, space: Path) -> Iterator[Row]:
    environments = []
    for count in counts:
        folder = new_folder(space)
        run(_command(folder, count, form="jsonl"), folder)
        environments.append(str(folder / "out" / "fleet"))

    def responses(environment: str) -> Contender:
        def contender(_folder: Path) -> Cost:
            cost = run((sys.executable, "-m", "benchmarks.fleets", environment), ROOT)
            return replace(cost, wall=float(cost.output))

        return contender

    pair = in_turns(responses(environments[1]), responses(environments[0]), space)
    ours, other = (median(cost.wall for cost in costs) * 1000 for costs in (pair.ours, pair.other))
    work, against = f"OCSP response, fleet of {counts[1]:,}", f"fleet of {counts[0]:,}"
    cells = f"{ours:.2f} ms", f"{other:.2f} ms", f"{pair.ratio:.2f}x"
    measured: dict[str, object] = {"ratio": round(pair.ratio, 4)}
    yield Row(work, against, *cells, f"at most {limit:g}x", pair.ratio <= limit, measured)


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("fleet against bare", partial(_bare, 10_000, 1.0)),
    ("fleet growth", partial(_growth, (10_000, 30_000, 100_000))),
    ("fleet unchanged", partial(_unchanged, 100_000, 1.0)),
    ("fleet OCSP", partial(_ocsp, (1_000, 100_000), 1.3)),
)


def _main(environment: Path) -> None:
    from pkigen.environment.ocsp.responder import OcspResponder

    manifest = json.loads((environment / "manifest.json").read_text())
    responder = OcspResponder(environment, lambda: manifest, lambda: datetime.now(UTC))
    shards = manifest["fleets"][0]["shards"]
    serials = [int(shard["first_serial"], 16) + number for shard in shards for number in range(_RESPONSES)]
    requests = [responder.request_about("issuing", serial) for serial in serials[:_RESPONSES]]
    responder.respond_about("issuing", int(shards[-1]["last_serial"], 16))
    start = time.perf_counter()
    for request in requests:
        if request is None or responder.respond(request).this_update is None:
            sys.exit("the responder does not answer")
    print((time.perf_counter() - start) / _RESPONSES)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
