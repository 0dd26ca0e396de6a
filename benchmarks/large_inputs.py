"""Large inputs of ``show`` and ``validate``, and chains of CAs: CPU and memory of the whole command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.long_crls import _NOW, entries
from benchmarks.measure import REPEATS, new_folder, peak_memory, run
from benchmarks.rows import Row
from pkigen.asn1 import names
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list

_MB = 1_000_000
_RANGE = """\
name: fleet
authorities: {{root: {{key: ec-p256}}}}
certificates:
  "sensor-{{00001..{count:05}}}": {{issuer: root, key: ec-p256}}
"""


def crl(count: int, folder: Path) -> tuple[str, ...]:
    """Return the command that shows a CRL of ``count`` entries."""
    plan = CertificateListPlan(names.name([("CN", "CA")]), bytes(20), 1, _NOW, _NOW + timedelta(days=7))
    revoked = (RevokedCertificate(serial, at, "keyCompromise") for serial, at in entries(count))
    data = certificate_list(plan, revoked, FreshKeys().generate(parse_kind("rsa-2048"), ""))
    (folder / "long.crl").write_bytes(data)
    return "show", "--json", "long.crl"


def certificates(size: int, folder: Path) -> tuple[str, ...]:
    """Return the command that shows ``size`` bytes of PEM: one certificate again and again."""
    run(contenders.build(contenders.write_profile(folder, "rsa-2048", 3), folder, "--keys", "pool"), folder)
    content = (folder / "out/fleet/authorities/issuing/issuing.crt").read_bytes()
    (folder / "many.pem").write_bytes(content * (size // len(content)))
    return "show", "--json", "many.pem"


def member_of_range(count: int, folder: Path) -> tuple[str, ...]:
    """Return the command that validates a range of ``count`` certificates."""
    (folder / "range.yaml").write_text(_RANGE.format(count=count), encoding="utf-8")
    return "validate", "range.yaml"


def chain(depth: int, folder: Path) -> tuple[str, ...]:
    """Return the command that builds a chain of ``depth`` authorities."""
    lines = [f"  ca-{n}: {{key: ec-p256{f', issuer: ca-{n - 1}' if n else ''}}}" for n in range(depth)]
    certificate = f"  server: {{issuer: ca-{depth - 1}, key: ec-p256}}"
    text = "\n".join(("name: chain", "authorities:", *lines, "certificates:", certificate, ""))
    (folder / "chain.yaml").write_text(text, encoding="utf-8")
    return "build", "chain.yaml", "--force"


Command = Callable[[Path], tuple[str, ...]]
"""Writes its input to a directory and returns the arguments of pkigen."""


def _seconds(work: str, command: Command, limit: float, space: Path) -> Iterator[Row]:
    folder = new_folder(space)
    arguments = (*contenders.PKIGEN, *command(folder))
    costs = [run(arguments, folder) for _ in range(REPEATS)]
    cpu = median(cost.cpu for cost in costs)
    measured: dict[str, object] = {"ours cpu": [cost.cpu for cost in costs]}
    yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", f"at most {limit:g} s", cpu <= limit, measured)


def _memory(work: str, command: Command, limit: int, space: Path) -> Iterator[Row]:
    folder = new_folder(space)
    peak = peak_memory((*contenders.PKIGEN, *command(folder)), folder)
    goal = f"at most {limit} MiB"
    if peak is None:
        yield Row(work, "-", "only on Linux", "-", "-", goal, None)
        return
    measured: dict[str, object] = {"ours MiB": round(peak, 1)}
    yield Row(work, "-", f"{peak:.0f} MiB", "-", "-", goal, peak <= limit, measured)


def _chains(depths: tuple[int, ...], limit: float, space: Path) -> Iterator[Row]:
    """CPU for each authority of a chain, which must not grow with its depth."""
    first = None
    for depth in depths:
        folder = new_folder(space)
        command = (*contenders.PKIGEN, *chain(depth, folder))
        costs = [run(command, folder).cpu for _ in range(REPEATS)]
        each = median(costs) / depth
        first = first or each
        measured: dict[str, object] = {"ours cpu": costs}
        work, output = f"build a chain of {depth} CAs", f"{each * 1000:.0f} ms CPU each"
        goal, ratio = f"at most {limit:g}x of the first", each / first
        yield Row(work, "-", output, "-", f"{ratio:.2f}x", goal, ratio <= limit, measured)


_ROWS: tuple[tuple[str, Callable[..., Iterator[Row]], Command, float], ...] = (
    ("show --json, CRL of 300,000 entries", _seconds, partial(crl, 300_000), 2.5),
    ("memory of show --json, 300,000 entries", _memory, partial(crl, 300_000), 140),
    ("show --json, 1 MB of certificates", _seconds, partial(certificates, _MB), 0.1),
    ("validate a range of 99,999", _seconds, partial(member_of_range, 99_999), 10),
)
measurements = (
    *(("large inputs", partial(measure, work, command, limit)) for work, measure, command, limit in _ROWS),
    ("chains", partial(_chains, (8, 16, 32), 1.2)),
)
