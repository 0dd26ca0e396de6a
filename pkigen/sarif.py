"""SARIF 2.1.0 logs, as code scanning services read them: rules, and results at files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def log(version: str, rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the log of one run of pkigen; ``version`` is that of pkigen."""
    driver = {"name": "pkigen", "version": version, "rules": rules}
    runs = [{"tool": {"driver": driver}, "results": results}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}


def rule(rule_id: str, short: str, full: str, level: str) -> dict[str, Any]:
    """Return the description of what a result violates."""
    return {
        "id": rule_id,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "defaultConfiguration": {"level": level},
    }


def result(rule_id: str, level: str, text: str, files: Iterable[str]) -> dict[str, Any]:
    """Return a result with its locations, relative to the root of the repository."""
    return {
        "ruleId": rule_id,
        "level": level,
        "message": {"text": text},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": file.replace("\\", "/")}}} for file in files
        ],
    }
