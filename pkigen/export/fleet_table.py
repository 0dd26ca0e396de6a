"""Tables of the certificates of a fleet, for load tools."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence

from pkigen.environment.fleets.formats import Member
from pkigen.export.fleet import ExportedFleet

_FIELDS: dict[str, Callable[[Member], str]] = {
    "alias": lambda member: member.name,
    "name": lambda member: member.name,
    "serial": lambda member: member.serial,
    "fault": lambda member: member.fault,
    "expected": lambda member: member.expected,
    "file": lambda member: f"private/{member.name}.p12",
}


def table(members: Iterable[Member], columns: Sequence[str]) -> bytes:
    """Return a CSV file with a header line and a line for each certificate."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_FIELDS[column](member) for column in columns] for member in members)
    return text.getvalue().encode()


def json_lines(fleet: ExportedFleet) -> tuple[list[str], bytes]:
    """Return the names, and a file with one JSON object for each certificate.

    ``certificate`` includes the intermediate CA certificates, as a TLS client sends them.
    """
    names, lines = list[str](), list[str]()
    for member in fleet:
        names.append(member.name)
        fields = {
            "name": member.name,
            "certificate": member.certificate + fleet.intermediates,
            "key": fleet.key(member),
            "fault": member.fault,
            "expected": member.expected,
        }
        lines.append(json.dumps(fields) + "\n")
    return names, "".join(lines).encode()
