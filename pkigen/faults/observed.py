"""Recorded verdicts of independent validators on each fault; a test compares them.

``observed.yaml`` has one complete record. For other systems it lists the versions of the validators there,
and the verdicts that differ from the complete record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

import yaml

ROWS = Path(__file__).with_name("observed.yaml")

Rows = dict[str, dict[str, str]]
"""Verdicts by fault and validator: ``accept``, ``refuse``, ``refuse PARTS`` or ``blind``."""


_PARTS = {"path": "path", "crl": "CRL", "ocsp": "OCSP response", "key": "key file", "pkcs12": "PKCS#12 file"}


@dataclass(frozen=True, slots=True)
class Record:
    """What the validators of one system did with each fault; ``versions`` is by validator."""

    system: str
    versions: dict[str, str]
    rows: Rows


@cache
def records() -> tuple[Record, ...]:
    """Return the record of each system, the complete one first."""
    document = yaml.safe_load(ROWS.read_bytes())
    rows: Rows = document["rows"]
    others = (
        Record(
            other["system"],
            other["versions"],
            {fault: {**row, **other["rows"].get(fault, {})} for fault, row in rows.items()},
        )
        for other in document.get("others", ())
    )
    return (Record(document["system"], document["versions"], rows), *others)


def observations() -> Rows:
    """Return the verdicts of the complete record."""
    return records()[0].rows


def recorded_version(validator: str, version: str) -> str:
    """Return the recorded version of a validator that is nearest to ``version``; "" if none is recorded."""
    recorded = [one.versions[validator] for one in records() if validator in one.versions]
    return min(recorded, key=lambda other: (other != version, *_distance(other, version)), default="")


def recorded_verdicts(validator: str, version: str) -> dict[str, str]:
    """Return the recorded verdicts of this version of a validator, by fault; empty if it is not recorded."""
    for one in records():
        if one.versions.get(validator) == version:
            return {fault: row[validator] for fault, row in one.rows.items() if validator in row}
    return {}


def _distance(version: str, other: str) -> tuple[int, int]:
    """Compare the numbers in two versions: the fewer leading ones agree, the farther apart they are."""
    pairs = list(zip(*(map(int, re.findall(r"\d+", text)) for text in (version, other)), strict=False))
    agreeing = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return -agreeing, abs(pairs[agreeing][0] - pairs[agreeing][1]) if agreeing < len(pairs) else 0


def observed(fault: str, word: str) -> tuple[str, ...]:
    """Return the validators with a recorded verdict on a fault; empty for faults of the server only.

    A validator that rejects another part than the one with the fault has its name after it, such
    as ``openssl (key file)``.
    """
    return tuple(
        f"{validator} ({', '.join(map(_PARTS.__getitem__, parts))})" if parts else validator
        for validator, verdict in observations().get(fault, {}).items()
        for first, *parts in (verdict.split(),)
        if first == word
    )
