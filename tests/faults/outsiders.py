"""What independent validators do with the faults of a catalogue, and where that is written down.

``observed.yaml``, which lies beside the faults for ``pkigen faults`` to read, has a row for each fault,
and in it a word for each column:

- ``accept``: all that the validator looks at is fine;
- ``blind``: so it is, but it does not look at what the fault spoils;
- ``refuse``: it refuses what the fault spoils (path, CRL, key or PKCS#12);
- ``refuse PART``: it has nothing against that, and refuses something else.

``deviations.yaml`` says why some do not do what the class of the fault promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pkigen.environment import Environment
from pkigen.faults import FAULTS, FaultType
from pkigen.faults.observed import ROWS
from pkigen.matrix import PARTS, VALIDATORS, Answer, Validator, cases_of
from tests.faults.conftest import is_twin

DEVIATIONS = Path(__file__).with_name("deviations.yaml")
PROMISED = {
    "R": {"refuse", "blind"},
    "A": {"accept", "blind"},
    "P": {"accept", "blind"},
}
"""The words that a fault's class allows; those of class V are recorded and no more."""

NOT_GIVEN = {
    "crl-der-file": "validators are given the published CRL, not the copy beside the CA certificate",
}
"""Faults of files that no column is given, and why."""

Rows = dict[str, dict[str, str]]


def judged(one: FaultType) -> bool:
    """Whether files alone show it; what a server does wrong is no matter for these validators."""
    return one.stage != "transport" and one.family not in ("ocsp", "transport")


def spoiled(one: FaultType) -> str:
    """The part of a case that a fault spoils; no column looks at ``fetching`` and at ``another file``."""
    if one.id in NOT_GIVEN:
        return "another file"
    if one.family == "crl":
        return "crl"
    if one.id.startswith("p12-"):
        return "pkcs12"
    if one.family.startswith("key-file"):
        return "key"
    return "fetching" if one.stage == "revocation" else "path"


def seen(environment: Environment) -> Rows:
    """The rows of all faults in an environment, as validators answer now."""
    cases = [case for case in environment.cases() if "fault" in case.data and not is_twin(case.name)]
    names = {case.data["fault"]["id"]: case.name for case in cases}
    faults = [one for one in FAULTS.values() if one.id in names and judged(one)]
    wanted = {names[one.id] for one in faults}
    given = [case for case in cases_of(environment) if case.name in wanted]
    rows: Rows = {one.id: {} for one in faults}
    for validator in VALIDATORS:
        answers = validator.judge(given)
        for one in faults:
            rows[one.id][validator.name] = _word(one, validator, answers[names[one.id]])
    return rows


def _word(one: FaultType, validator: Validator, said: Answer) -> str:
    part = spoiled(one)
    if said.accepted:
        return "accept" if part in validator.looks_at else "blind"
    refused = [other for other in PARTS if said.parts.get(other) is False]
    return "refuse" if part in refused or not refused else f"refuse {' '.join(refused)}"


def deviating(rows: Rows) -> set[tuple[str, str]]:
    """Fault and column wherever a validator does not do what the class promises."""
    return {
        (fault, column)
        for fault, row in rows.items()
        for column, word in row.items()
        if fault in FAULTS and word not in PROMISED.get(FAULTS[fault].verdict, {word})
    }


def versions() -> dict[str, str | None]:
    """What answers in each column."""
    return {validator.name: validator.version() for validator in VALIDATORS}


def recorded() -> tuple[dict[str, str], Rows]:
    """The versions and the rows of observed.yaml."""
    held = yaml.safe_load(ROWS.read_text("utf-8"))
    return held["versions"], held["rows"]


def record(rows: Rows) -> None:
    """Write observed.yaml: a line for each fault, in the catalogue's order."""
    lines = ["# What each validator does with each fault: see outsiders.py. Written by"]
    lines += ["# python -m tests.faults.record; what it differs in from a fault's class has its reason in"]
    lines += ["# deviations.yaml.", "versions:"]
    lines += [f"  {column}: {version}" for column, version in versions().items()]
    lines += ["rows:"]
    for fault, row in rows.items():
        words = ", ".join(f"{column}: {word}" for column, word in row.items())
        lines.append(f"  {fault}: {{{words}}}")
    ROWS.write_text("\n".join(lines) + "\n", "utf-8")


def explained() -> Iterator[tuple[str, str, str]]:
    """Fault, column and reason of each deviation in deviations.yaml."""
    entries: list[dict[str, Any]] = yaml.safe_load(DEVIATIONS.read_text("utf-8")) or []
    for entry in entries:
        for fault in entry["faults"]:
            for column in entry["columns"]:
                yield fault, column, entry["reason"]
