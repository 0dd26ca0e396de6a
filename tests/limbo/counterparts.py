"""The faults of the catalog that correspond to limbo's cases: ``faults.yaml``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pkigen.faults import FAULTS

SOUND, NONE = "sound", "none"
_PERMITTED = {"FAILURE": "RVP", "SUCCESS": "APV"}
"""The classes that a fault may have, by the result that limbo expects."""
_ONLINE = "online::"
"""Chains of public servers."""


def counterparts() -> dict[str, str | list[str]]:
    """Return the fault by the ID of limbo's case; ``sound``, or ``none`` with the reason."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("faults.yaml").read_text("utf-8")
    )
    return {f"{suite}::{case}": fault for suite, cases in document.items() for case, fault in cases.items()}


def discrepancies(file: Path) -> Iterator[str]:
    """Yield the cases of a limbo file without a counterpart, or with one of a contradictory class."""
    known = counterparts()
    for case in json.loads(file.read_bytes())["testcases"]:
        name, expected = case["id"], case["expected_result"]
        if name.startswith((_ONLINE, "bettertls")):
            continue
        fault = known.get(name)
        if fault is None:
            yield f"{name}: no counterpart in tests/limbo/faults.yaml"
        elif isinstance(fault, str):
            verdict = "A" if fault == SOUND else FAULTS[fault].verdict
            if verdict not in _PERMITTED[expected]:
                yield f"{name}: {expected}, but {fault} has class {verdict}"
