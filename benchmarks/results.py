"""The file results.json: the machine, and the rows of the measurements."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bare import cores
from benchmarks.measure import REPEATS
from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results.json"


def machine() -> dict[str, object]:
    """Return what the results depend on besides the program."""
    return {
        "cores": cores(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "turns": REPEATS,
    }


def write(rows: Iterable[dict[str, Any]], path: Path = RESULTS) -> None:
    """Replace the file."""
    text = json.dumps({"machine": machine(), "rows": list(rows)}, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def stored(path: Path = RESULTS) -> list[dict[str, Any]]:
    """Return the rows in the file. Raises ValueError if they are those of another machine."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    here = machine()
    if document["machine"] != here:
        different = ", ".join(key for key in here if document["machine"].get(key) != here[key])
        raise ValueError(f"{path.name} is of another machine ({different}): measure all rows")
    rows: list[dict[str, Any]] = document["rows"]
    return rows


def as_stored(measurement: str, row: Row) -> dict[str, Any]:
    """Return a row as the file has it, with the name of its measurement."""
    return {"measurement": measurement, **asdict(row)}


def updated(rows: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with those of some measurements replaced; new ones are at the place of the old ones.

    A row also replaces one with the same work and rival, which another measurement produced before.
    """
    result, new = list(rows), list(new)
    measurements, works = {row["measurement"] for row in new}, {_work(row) for row in new}
    replaced = [
        index
        for index, row in enumerate(result)
        if row.get("measurement") in measurements or _work(row) in works
    ]
    place = replaced[0] if replaced else len(result)
    others = [row for index, row in enumerate(result) if index not in replaced]
    return [*others[:place], *new, *others[place:]]


def _work(row: dict[str, Any]) -> tuple[str, str]:
    return row["work"], row["against"]
