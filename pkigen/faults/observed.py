"""Recorded verdicts of independent validators on each fault; a test compares them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

ROWS = Path(__file__).with_name("observed.yaml")


@cache
def observations() -> dict[str, dict[str, str]]:
    """Return verdicts by fault and validator: ``accept``, ``refuse``, ``refuse PART`` or ``blind``."""
    rows: dict[str, dict[str, str]] = yaml.safe_load(ROWS.read_bytes())["rows"]
    return rows


@cache
def recorded_with() -> dict[str, str]:
    """Return the recorded version of each validator."""
    versions: dict[str, str] = yaml.safe_load(ROWS.read_bytes())["versions"]
    return versions


def observed(fault: str, word: str) -> tuple[str, ...]:
    """Return the validators with a recorded verdict on a fault; empty for faults of the server only."""
    row = observations().get(fault, {})
    return tuple(validator for validator, verdict in row.items() if verdict.split()[0] == word)
