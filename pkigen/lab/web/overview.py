"""What the overview says beside its drawing: how many connections are well, and what ails the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pkigen.lab.connections.connection import Connection
from pkigen.lab.web.topology import MARKS, RANK, grade

_WORDS = {"good": "connected", "notice": "without validation", "bad": "halted", "wait": "not tried yet"}


@dataclass(frozen=True, slots=True)
class Issue:
    """A complaint with the connections that have it. ``grade`` is notice or bad."""

    grade: str
    words: str
    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All connections at a glance; ``counts`` are grades with how many there are, and what that is called."""

    headline: str
    grade: str
    counts: tuple[tuple[str, int, str], ...]
    troubles: tuple[Issue, ...]


def summary(connections: Sequence[Connection]) -> Summary:
    """The worst first; connections with the same complaint together."""
    grades = {connection.id: grade(connection) for connection in connections}
    numbers = {name: sum(found == name for found in grades.values()) for name in MARKS}
    counts = tuple((name, numbers[name], words) for name, words in _WORDS.items())
    together = dict[tuple[str, str], list[Connection]]()
    for connection in connections:
        if (found := grades[connection.id]) in ("bad", "notice"):
            together.setdefault((found, failure_reason(connection)), []).append(connection)
    troubles = [Issue(found, words, tuple(held)) for (found, words), held in together.items()]
    worst = next((name for name in ("bad", "notice", "wait") if numbers[name]), "good")
    return Summary(
        _headline(worst, numbers, len(connections)),
        worst,
        tuple(one for one in counts if one[1] or one[0] != "wait"),
        tuple(sorted(troubles, key=lambda one: one.grade)),
    )


def worst_first(connections: Sequence[Connection]) -> list[Connection]:
    """For the table: those that need looking at before the others."""
    return sorted(connections, key=lambda connection: RANK[grade(connection)])


def failure_reason(connection: Connection) -> str:
    """In one sentence, why a connection is as it is."""
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
