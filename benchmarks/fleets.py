"""Fleets: 10,000 certificates in Parquet against the bare work, growth, a rebuild of nothing, OCSP.

    python -m benchmarks.fleets ENVIRONMENT

Prints the seconds that the responder takes for a response about a certificate that nobody asked for yet.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import contenders, growth
from benchmarks.measure import (
    REPEATS,
    ROOT,
    Contender,
    Cost,
    by_cpu,
    in_turns,
    new_folder,
    peak_memory,
    run,
)
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
_MOST_MIB = 300
_LEVEL = 1.5
"""What the peak of a fleet may differ from that of the smallest one."""
_RESPONSES = 400


def command(folder: Path, count: int, *, form: str = "parquet") -> tuple[str, ...]:
    profile = folder / "fleet.yaml"
    shard = min(10_000, -(-count // 4))
    text = _PROFILE.format(count=count, every=max(count // _REVOKED, 1), shard=shard, form=form)
    profile.write_text(text, encoding="utf-8")
    return contenders.build(profile, folder)


def _fleet(count: int) -> Contender:
    return lambda folder: run(command(folder, count), folder)


def _bare(count: int, limit: float, space: Path) -> Iterator[Row]:
    pair = in_turns(by_cpu(_fleet(count)), by_cpu(contenders.bare("fresh", "ec-p256", count)), space)
    ours, other = (median(cost.wall for cost in costs) for costs in (pair.ours, pair.other))
    measured: dict[str, object] = {
        "ours cpu": [round(cost.wall, 3) for cost in pair.ours],
        "other cpu": [round(cost.wall, 3) for cost in pair.other],
        "ratio": round(pair.ratio, 4),
    }
    work = f"fleet of {count:,} EC P-256, Parquet"
    cells = f"{ours:.2f} s CPU", f"{other:.2f} s CPU", f"{pair.ratio:.2f}x"
    yield Row(work, "bare keys + signing", *cells, f"at most {limit:g}x", pair.ratio <= limit, measured)


def _growth(counts: tuple[int, ...], again: float, space: Path) -> Iterator[Row]:
    """CPU, memory and the manifest of a build for each size, and CPU of a build that changes nothing.

    ``again`` is the goal of the latter for the largest size; the exponents are those of the last two sizes.
    """
    costs, unchanged, first_peak = list[float](), list[float](), 0.0
    for count in counts:
        folder = new_folder(space)
        build, before = command(folder, count), os.times()
        peak, after = peak_memory(build, folder) or 0, os.times()
        costs.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        manifest = (folder / "out" / "fleet" / "manifest.json").stat().st_size
        unchanged.append(median(run(build, folder).cpu for _ in range(REPEATS)))
        first_peak = first_peak or peak
        power = growth.exponent(counts, costs) if len(costs) > 1 else 1.0
        level = peak / first_peak if first_peak else 1.0
        reached = power <= growth.LIMIT and peak < _MOST_MIB and manifest < 1_000_000 and level < _LEVEL
        measured: dict[str, object] = {
            "ours cpu": round(costs[-1], 2),
            "ours MiB": round(peak, 1),
            "manifest": manifest,
            "exponent": round(power, 3),
        }
        goal = f"linear, under {_MOST_MIB} MiB and level, manifest under 1 MB"
        cells = f"{costs[-1]:.1f} s CPU", f"{peak:.0f} MiB", f"^{power:.2f}, {level:.2f}x"
        yield Row(f"fleet of {count:,} EC P-256", "-", *cells, goal, reached, measured)
    row = growth.row("fleet, build again", counts, unchanged)
    yield replace(row, goal=f"at most {again:g} s", reached=unchanged[-1] <= again)


def _ocsp(counts: tuple[int, ...], limit: float, space: Path) -> Iterator[Row]:
    """Each size against the smallest one."""
    environments = dict[int, str]()
    for count in counts:
        folder = new_folder(space)
        run(command(folder, count, form="jsonl"), folder)
        environments[count] = str(folder / "out" / "fleet")

    def responses(environment: str) -> Contender:
        def contender(_folder: Path) -> Cost:
            cost = run((sys.executable, "-m", "benchmarks.fleets", environment), ROOT)
            return replace(cost, wall=float(cost.output))

        return contender

    smallest, *others = counts
    for count in others:
        pair = in_turns(responses(environments[count]), responses(environments[smallest]), space)
        ours, other = (median(cost.wall for cost in costs) * 1000 for costs in (pair.ours, pair.other))
        work, against = f"OCSP response, fleet of {count:,}", f"fleet of {smallest:,}"
        cells = f"{ours:.2f} ms", f"{other:.2f} ms", f"{pair.ratio:.2f}x"
        measured: dict[str, object] = {"ratio": round(pair.ratio, 4)}
        yield Row(work, against, *cells, f"at most {limit:g}x", pair.ratio <= limit, measured)


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("fleet against bare", partial(_bare, 10_000, 1.0)),
    ("fleet growth", partial(_growth, (10_000, 100_000, 1_000_000), 1.0)),
    ("fleet OCSP", partial(_ocsp, (1_000, 10_000, 100_000), 1.3)),
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
