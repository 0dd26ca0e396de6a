"""The summary next to the drawing: the number of connections in each state, and the problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pkigen.lab.connections.connection import Connection
from pkigen.lab.web.topology import MARKS, RANK, grade

_WORDS = {"good": "connected", "notice": "without validation", "bad": "halted", "wait": "not tried yet"}


@dataclass(frozen=True, slots=True)
class Issue:
    """A problem and the connections that have it; ``grade`` is notice or bad."""

    grade: str
    words: str
    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of all connections; ``counts`` contains each grade with its number and label."""

    headline: str
    grade: str
    counts: tuple[tuple[str, int, str], ...]
    troubles: tuple[Issue, ...]


def summary(connections: Sequence[Connection]) -> Summary:
    """Summarize connections: group them by problem, the worst first."""
    grades = {connection.id: grade(connection) for connection in connections}
    numbers = {name: sum(value == name for value in grades.values()) for name in MARKS}
    counts = tuple((name, numbers[name], words) for name, words in _WORDS.items())
    together = dict[tuple[str, str], list[Connection]]()
    for connection in connections:
        if (severity := grades[connection.id]) in ("bad", "notice"):
            together.setdefault((severity, failure_reason(connection)), []).append(connection)
    troubles = [Issue(severity, words, tuple(affected)) for (severity, words), affected in together.items()]
    worst = next((name for name in ("bad", "notice", "wait") if numbers[name]), "good")
    return Summary(
        _headline(worst, numbers, len(connections)),
        worst,
        tuple(one for one in counts if one[1] or one[0] != "wait"),
        tuple(sorted(troubles, key=lambda one: one.grade)),
    )


def worst_first(connections: Sequence[Connection]) -> list[Connection]:
    """Sort connections for the table, problems first."""
    return sorted(connections, key=lambda connection: RANK[grade(connection)])


def failure_reason(connection: Connection) -> str:
    """Return the reason for the state of a connection in one sentence."""
    causes = connection.report.causes
    return causes[0].message if causes else connection.report.summary


def _headline(worst: str, numbers: dict[str, int], count: int) -> str:
    if not count:
        return "This appliance has no connections."
    if worst == "wait":
        return "Connecting ..."
    what = {"bad": "halted", "notice": "not validated", "good": "up"}[worst]
    number = numbers[worst]
    if number == count and worst == "notice" and count > 1:
        return f"None of the {count} connections is validated."
    if number == count:
        return f"The connection is {what}." if count == 1 else f"All {count} connections are {what}."
    return f"{number} of {count} connections {'is' if number == 1 else 'are'} {what}."
