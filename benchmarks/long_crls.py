"""A CRL of many entries: ours, and the least that its bytes and its signature cost.

    python -m benchmarks.long_crls ours|bare COUNT

Prints the seconds of the work itself, and the most MiB that the process held, less what it held before.
The entries come from a generator on both sides, so that the list of them is nobody's memory.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks.measure import Contender, Cost, in_turns, new_folder, peak_of_process, run
from benchmarks.rows import Row
from pkigen.asn1 import names
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_REASON = bytes.fromhex("300c300a0603551d1504030a0101")
"""CRLEntryExtensions with the reason code keyCompromise."""
_LEVEL = 1.3
"""What an entry may cost more in the longest list than in the one before, and still be linear."""


def entries(count: int) -> Iterator[tuple[int, datetime]]:
    """Serial numbers of 16 bytes and instants of the last year, the same each time."""
    chance = random.Random(1)  # noqa: S311  the same each time is the point
    for _ in range(count):
        yield chance.getrandbits(126) | 1 << 126, _NOW - timedelta(seconds=chance.randrange(30_000_000))


def ours(count: int) -> Callable[[], int]:
    """A CRL by pkigen."""
    key = FreshKeys().generate(parse_kind("rsa-2048"), "")
    plan = CertificateListPlan(names.name([("CN", "CA")]), bytes(20), 1, _NOW, _NOW + timedelta(days=7))
    listed = (RevokedCertificate(serial, at, "keyCompromise") for serial, at in entries(count))
    return lambda: len(certificate_list(plan, listed, key))


def bare(count: int) -> Callable[[], int]:
    """The same entries, one after the other, and a signature over them: no name, no extension of the list."""
    key = rsa.generate_private_key(65537, 2048)

    def encoded() -> Iterator[bytes]:
        for serial, at in entries(count):
            body = b"\x02\x10" + serial.to_bytes(16, "big") + b"\x17\x0d"
            body += at.strftime("%y%m%d%H%M%SZ").encode() + _REASON
            yield b"\x30" + bytes((len(body),)) + body

    def work() -> int:
        octets = b"".join(encoded())
        return len(octets) + len(key.sign(octets, padding.PKCS1v15(), hashes.SHA256()))

    return work


def rows(counts: tuple[int, ...], limit: float, space: Path) -> Iterator[Row]:
    """A row for each length: time against the bare work, memory and time for each entry."""
    before = None
    for count in counts:
        pair = in_turns(_process("ours", count), _process("bare", count), space)
        seconds, mib = (median(cost.parts[part] for cost in pair.ours) for part in ("work", "MiB"))
        others = median(cost.parts["work"] for cost in pair.other)
        ratio = median(
            mine.parts["work"] / theirs.parts["work"]
            for mine, theirs in zip(pair.ours, pair.other, strict=True)
        )
        each = seconds / count, mib / count
        level = before is None or all(now <= _LEVEL * then for now, then in zip(each, before, strict=True))
        before = each if count >= 100_000 else None
        measured: dict[str, object] = {
            "ours": [cost.parts["work"] for cost in pair.ours],
            "other": [cost.parts["work"] for cost in pair.other],
            "ours MiB": round(mib, 1),
            "other MiB": round(median(cost.parts["MiB"] for cost in pair.other), 1),
        }
        work, goal = f"a CRL of {count:,} entries, {mib:.0f} MiB", f"at most {limit:g}x, linear"
        output = f"{seconds:.3f} s", f"{others:.3f} s", f"{ratio:.2f}x"
        yield Row(work, "bare DER + signing", *output, goal, ratio <= limit and level, measured)


def _process(which: str, count: int) -> Contender:
    def contend(folder: Path) -> Cost:
        command = (sys.executable, "-m", "benchmarks.long_crls", which, str(count))
        cost = run(command, Path(__file__).parent.parent)
        return Cost(cost.wall, cost.cpu, parts=json.loads(cost.output))

    return contend


def refreshed(count: int, space: Path) -> Iterator[Row]:
    """The whole command on an authority that has revoked so many: read, digested, signed, written twice."""
    from benchmarks import contenders
    from pkigen.store import Revoked, Store

    folder = new_folder(space)
    run(contenders.build(contenders.write_profile(folder, "rsa-2048", 4), folder, "--keys", "pool"), folder)
    environment = folder / "out" / "fleet"
    with Store.open(environment, write=True) as store:
        issuer = next(iter(store.index.publishers()))
        revoked = (
            Revoked(issuer, serial, "certificates/gone", "keyCompromise", int(at.timestamp()), "command", "")
            for serial, at in entries(count)
        )
        store.index.set_revocations(revoked)
    command = (*contenders.PKIGEN, "refresh-crl", str(environment), issuer)
    costs = [run(command, folder) for _ in range(3)]
    wall = median(cost.wall for cost in costs)
    measured: dict[str, object] = {"ours": [round(cost.wall, 3) for cost in costs]}
    yield Row(f"refresh-crl, {count:,} entries", "-", f"{wall:.2f} s", "-", "-", "none set", None, measured)


measurements = (
    ("long CRLs", partial(rows, (1_000, 100_000, 1_000_000), 3)),
    ("refresh-crl", partial(refreshed, 1_000_000)),
)


def _main(which: str, count: str) -> None:
    work = {"ours": ours, "bare": bare}[which](int(count))
    before = peak_of_process("self") or 0
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    grown = (peak_of_process("self") or 0) - before
    print(json.dumps({"work": round(seconds, 5), "MiB": grown}))


if __name__ == "__main__":
    _main(*sys.argv[1:3])
