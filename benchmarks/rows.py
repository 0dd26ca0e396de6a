"""The rows of the speed table: what is measured, against whom, and how far it is to reach."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import contenders, serving
from benchmarks.measure import (
    REPEATS,
    Contender,
    Pair,
    by_cpu,
    in_memory,
    in_turns,
    new_folder,
    peak_memory,
    run,
)

# What a peak may differ from that of the smallest fleet and still count as not growing with it.
_LEVEL = 1.25


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``reached`` is None for a row that has no goal or did not run.

    ``limited_by`` says what limits a row whose goal is not reached.
    """

    work: str
    against: str
    ours: str
    other: str
    ratio: str
    goal: str
    reached: bool | None
    measured: dict[str, object] = field(default_factory=dict)
    limited_by: str = ""


Measurement = tuple[str, Callable[[Path], Iterator[Row]]]


def _fresh(work: str, key: str, count: int, limit: float, space: Path) -> Iterator[Row]:
    pair = in_turns(contenders.pkigen(key, count), contenders.bare("fresh", key, count), space)
    yield _against_bare(work, pair, "bare keys + signing", limit)


def _files(work: str, count: int, defaults: str, limit: float, space: Path) -> Iterator[Row]:
    """Certificates as files in memory: CPU seconds of the whole process tree, against the bare work."""
    ours = contenders.pkigen("ec-p256", count, defaults=defaults)
    other = contenders.bare("fresh", "ec-p256", count)
    with in_memory(space) as memory:
        pair = in_turns(by_cpu(ours), by_cpu(other), memory)
    row = _against_bare(work, pair, "bare keys + signing", limit)
    yield replace(row, ours=f"{row.ours} CPU", other=f"{row.other} CPU")


def _against_bare(work: str, pair: Pair, against: str, limit: float) -> Row:
    goal = f"at most {limit:g}x"
    return Row(work, against, *_times(pair), f"{pair.ratio:.2f}x", goal, pair.ratio <= limit, _detail(pair))


def _against_tools(work: str, ours: Contender, space: Path) -> Iterator[Row]:
    for tool in contenders.TOOLS:
        goal = f"{tool.times:g}x faster"
        if missing := tool.missing():
            yield Row(work, tool.name, "-", f"no {Path(missing).name} here", "-", goal, None)
            continue
        pair = in_turns(ours, tool.contender, space)
        faster = 1 / pair.ratio
        reached = faster >= tool.times
        yield Row(work, tool.name, *_times(pair), f"{faster:.1f}x faster", goal, reached, _detail(pair))


def _unchanged(limits: tuple[tuple[int, float], ...], space: Path) -> Iterator[Row]:
    for count, limit in limits:
        folder = new_folder(space)
        command = contenders.build(contenders.write_profile(folder, "ec-p256", count), folder)
        run(command, folder)
        costs = [run(command, folder) for _ in range(REPEATS)]
        cpu = median(cost.cpu for cost in costs)
        measured: dict[str, object] = {"ours cpu": [cost.cpu for cost in costs]}
        work = f"build again, nothing changed, {count:,}"
        yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", f"at most {limit:g} s", cpu <= limit, measured)


def _checked(count: int, limit: float, space: Path) -> Iterator[Row]:
    """Every file of an environment read and judged: certificate, key, chain, path, CRL."""
    folder, pool = new_folder(space), {"PKIGEN_KEY_POOL": str(new_folder(space))}
    profile = contenders.write_profile(folder, "rsa-2048", count + 2)
    run(contenders.build(profile, folder, "--keys", "pool"), folder, pool)
    command = (*contenders.PKIGEN, "check", str(folder / "out" / "fleet"), "--against", "defender-iot")
    costs = [run(command, folder) for _ in range(REPEATS)]
    cpu = median(cost.cpu for cost in costs)
    measured: dict[str, object] = {"ours cpu": [cost.cpu for cost in costs]}
    work = f"check {count:,} RSA-2048, defender-iot"
    yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", f"under {limit:g} s", cpu < limit, measured)


def _catalogue(limit: float, space: Path) -> Iterator[Row]:
    """Every fault there is, from cold: keys, certificates, CRLs, OCSP answers, verdicts. Three times."""
    command = (*contenders.PKIGEN, "build", "negative", "--out")
    costs = [run((*command, str(new_folder(space))), space) for _ in range(3)]
    cpu = median(cost.cpu for cost in costs)
    measured: dict[str, object] = {"ours cpu": [cost.cpu for cost in costs]}
    work = "the whole fault catalog"
    yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", f"under {limit:g} s", cpu < limit, measured)


def _memory(counts: tuple[int, ...], limit: int, space: Path) -> Iterator[Row]:
    first = None
    for count in counts:
        folder = new_folder(space)
        command = contenders.build(contenders.write_profile(folder, "ec-p256", count), folder)
        peak = peak_memory(command, folder)
        work = f"peak memory, {count:,} EC P-256"
        if peak is None:
            yield Row(work, "-", "only on Linux", "-", "-", f"under {limit} MiB, level", None)
            continue
        first = first or peak
        measured: dict[str, object] = {"ours MiB": round(peak, 1)}
        reached = peak < limit and peak / first < _LEVEL
        goal = f"under {limit} MiB, level"
        yield Row(work, "-", f"{peak:.0f} MiB", "-", f"{peak / first:.2f}x", goal, reached, measured)


def _pooled(count: int, limit: float, space: Path) -> Iterator[Row]:
    pool = {"PKIGEN_KEY_POOL": str(new_folder(space))}
    ours = contenders.pkigen("rsa-2048", count, "--keys", "pool", environ=pool)
    pair = in_turns(ours, contenders.bare("pool", "rsa-2048", count), space)
    yield _against_bare(f"{count:,} RSA-2048, --keys pool", pair, "bare signing", limit)


_SERVERS: tuple[
    tuple[str, str, int, float | None, Callable[[Path, Path], AbstractContextManager[str]]], ...
] = (
    ("nginx, one worker", serving.NGINX, serving.CONNECTIONS, None, serving.nginx),
    ("certomancer animate", contenders.CERTOMANCER, serving.FEW_CONNECTIONS, 100, serving.certomancer),
)
"""Name, program, connections, the goal for pkigen's rate divided by this server's rate, how to run it."""


def _served(space: Path) -> Iterator[Row]:
    """Fetches of a CRL of one and a half kilobytes; a missing program is reported."""
    built = None
    for name, program, connections, times, rival in _SERVERS:
        work, goal = "CRL fetches, one process", f"at least {times:g}x" if times else "-"
        missing = [Path(path).name for path in (serving.CLIENT, program) if not shutil.which(path)]
        if missing:
            yield Row(work, name, "-", f"no {' and no '.join(missing)} here", "-", goal, None)
            continue
        built = built or serving.environment(new_folder(space))
        with serving.ours(built) as here, rival(built, new_folder(space)) as there:
            pair = in_turns(serving.fetches(here), serving.fetches(there, connections), space)
            sizes = {"ours bytes": serving.size(here), "other bytes": serving.size(there)}
        faster = 1 / pair.ratio
        a, b = (f"{1 / median(cost.wall for cost in costs):,.0f}/s" for costs in (pair.ours, pair.other))
        rates: dict[str, object] = {
            "ours a second": [round(1 / cost.wall, 1) for cost in pair.ours],
            "other a second": [round(1 / cost.wall, 1) for cost in pair.other],
            "ratio": round(faster, 4),
            **sizes,
        }
        reached = faster >= times if times else None
        yield Row(work, name, a, b, f"{faster:.2f}x", goal, reached, rates)


def measurements() -> Iterator[Measurement]:
    """Each part of the table by name, and what measures it when given a directory to work in."""
    for count, limit in ((22, 1.35), (202, 1.05)):
        work = f"{count} fresh RSA-2048"
        yield work, partial(_fresh, work, "rsa-2048", count, limit)
    yield "tools", partial(_against_tools, "22 fresh RSA-2048", contenders.pkigen("rsa-2048", 22))
    yield "unchanged", partial(_unchanged, ((1_000, 0.6), (10_000, 1)))
    yield "check", partial(_checked, 1_000, 2)
    yield "catalogue", partial(_catalogue, 40)
    yield "serving", _served
    for work, defaults in (
        ("10,000 EC P-256 as files", ""),
        ("10,000 EC P-256 as files [crt, key]", "files: [crt, key]"),
    ):
        yield work, partial(_files, work, 10_000, defaults, 1.6)
    yield "memory", partial(_memory, (1_000, 10_000, 20_000), 200)
    yield "pool", partial(_pooled, 10_000, 1.5)
    from benchmarks import (
        answering,
        clusters,
        enrolling,
        fleets,
        growth,
        growth_of_servers,
        handshakes,
        labs,
        large_inputs,
        long_crls,
        starts,
    )

    yield from starts.measurements
    yield "answers", partial(answering.rows, 0.6)
    yield "ACME orders", partial(enrolling.rows, 1.0)
    yield "handshakes", partial(handshakes.rows, 5.0)
    yield from long_crls.measurements
    yield from large_inputs.measurements
    yield from labs.measurements
    yield from fleets.measurements
    yield from clusters.measurements
    yield from growth.measurements
    yield from growth_of_servers.measurements


def _times(pair: Pair) -> tuple[str, str]:
    ours, other = (median(cost.wall for cost in costs) for costs in (pair.ours, pair.other))
    return f"{ours:.2f} s", f"{other:.2f} s"


def _detail(pair: Pair) -> dict[str, object]:
    result: dict[str, object] = {
        "ours": [round(cost.wall, 4) for cost in pair.ours],
        "other": [round(cost.wall, 4) for cost in pair.other],
        "ratio": round(pair.ratio, 4),
    }
    for part in pair.other[0].parts:
        result[f"other: {part}"] = [round(cost.parts[part], 4) for cost in pair.other]
    return result
