"""What independent validators were seen to do with each fault: recorded, and held to by a test."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

ROWS = Path(__file__).with_name("observed.yaml")


@cache
def observations() -> dict[str, dict[str, str]]:
    """By fault and validator: ``accept``, ``refuse``, ``refuse PART`` or ``blind`` (it does not look)."""
    found: dict[str, dict[str, str]] = yaml.safe_load(ROWS.read_bytes())["rows"]
    return found


@cache
def recorded_with() -> dict[str, str]:
    """The version that was asked, by validator."""
    found: dict[str, str] = yaml.safe_load(ROWS.read_bytes())["versions"]
    return found


def observed(fault: str, word: str) -> tuple[str, ...]:
    """The validators of whom a word was recorded for a fault; none where only a server can show it."""
    row = observations().get(fault, {})
    return tuple(validator for validator, said in row.items() if said.split()[0] == word)
