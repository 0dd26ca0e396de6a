"""How CPU grows with the input: each command at three sizes, with the exponent between the last two.

An exponent of 1 is linear growth; start-up makes it smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import contenders, large_inputs
from benchmarks.measure import new_folder, run
from benchmarks.rows import Row

LIMIT = 1.1
_FILES = (1_000, 3_000, 10_000)


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Return the exponent of the growth between the last two sizes."""
    last = len(costs) - 1
    return math.log(costs[last] / costs[last - 1]) / math.log(sizes[last] / sizes[last - 1])


def row(
    work: str, sizes: Sequence[int], costs: Sequence[float], unit: str = "s CPU", limit: float = LIMIT
) -> Row:
    """Return the row of a command: what it cost at each size."""
    power = exponent(sizes, costs)
    names = ", ".join(f"{size:,}" for size in sizes)
    cells = " ".join(f"{cost:.2f}" for cost in costs)
    measured: dict[str, object] = {"sizes": list(sizes), "ours": [round(cost, 3) for cost in costs]}
    measured["exponent"] = round(power, 3)
    goal = f"at most ^{limit:g}"
    return Row(
        f"{work}: {names}", "-", f"{cells} {unit}", "-", f"^{power:.2f}", goal, power <= limit, measured
    )


def environments(sizes: tuple[int, ...], space: Path) -> Iterator[Row]:
    """Build an environment of files, build it again, and report it."""
    costs: dict[str, list[float]] = {"build": [], "build again": [], "report": []}
    for size in sizes:
        folder = new_folder(space)
        build = contenders.build(contenders.write_profile(folder, "ec-p256", size), folder)
        environment = str(folder / "out" / "fleet")
        report = (*contenders.PKIGEN, "report", environment, "--out", str(folder / "report.html"))
        for name, command in zip(costs, (build, build, report), strict=True):
            costs[name].append(run(command, folder).cpu)
    for name, values in costs.items():
        yield row(f"{name}, EC P-256", sizes, values)


def _check(size: int, folder: Path) -> tuple[str, ...]:
    run(contenders.build(contenders.write_profile(folder, "ec-p256", size), folder), folder)
    return "check", str(folder / "out" / "fleet"), "--against", "rfc5280"


def _keys(work: str, sizes: tuple[int, ...], options: tuple[str, ...], space: Path) -> Iterator[Row]:
    """Build with RSA-2048 keys; a build that does not count fills the pool."""
    pool = {"PKIGEN_KEY_POOL": str(new_folder(space))}
    contender = partial(contenders.pkigen, "rsa-2048", environ=pool)
    if options:
        contender(sizes[0], *options)(new_folder(space))
    yield row(work, sizes, [contender(size, *options)(new_folder(space)).cpu for size in sizes])


def _commands(
    work: str, sizes: tuple[int, ...], prepare: Callable[[int, Path], tuple[str, ...]], space: Path
) -> Iterator[Row]:
    costs = []
    for size in sizes:
        folder = new_folder(space)
        costs.append(run((*contenders.PKIGEN, *prepare(size, folder)), folder).cpu)
    yield row(work, sizes, costs)


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("growth of environments", partial(environments, _FILES)),
    ("growth of checks", partial(_commands, "check, rfc5280, EC P-256", (300, 1_000, 3_000), _check)),
    ("growth of RSA keys", partial(_keys, "fresh RSA-2048", (22, 66, 202), ())),
    ("growth of pooled keys", partial(_keys, "RSA-2048, --keys pool", _FILES, ("--keys", "pool"))),
    (
        "growth of CRLs",
        partial(_commands, "show --json, CRL entries", (30_000, 100_000, 300_000), large_inputs.crl),
    ),
    (
        "growth of PEM files",
        partial(
            _commands, "show --json, bytes of PEM", (100_000, 300_000, 1_000_000), large_inputs.certificates
        ),
    ),
    (
        "growth of ranges",
        partial(_commands, "validate a range", (10_000, 30_000, 99_999), large_inputs.member_of_range),
    ),
)
