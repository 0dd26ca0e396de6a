"""The hierarchy as nodes and edges: CAs, certificates, cross-certificates; similar ones share a node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pkigen.report.status import (
    day,
    marks,
    plain,
    quantity,
)

Kind = Literal["root", "authority", "certificate"]

FEW = 3
"""The number of similar certificates that have their own nodes; more share one node."""
MOST_BELOW = 14
"""The maximum number of certificate nodes below one CA."""
_DIGITS = re.compile(r"[0-9]+")
_WORDS = {"reject": "reject", "varies": "varies", "accept": "accept"}


@dataclass(frozen=True, slots=True)
class Node:
    """A CA, a certificate, or ``count`` similar ones.

    ``names`` are names of the manifest with the prefix ``authorities/`` or ``certificates/``.
    """

    id: str
    kind: Kind
    title: str
    note: str
    marks: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of CAs or certificates that the node represents."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Edge:
    """From issuer to subject, by node IDs; ``cross`` marks a cross-certificate."""

    issuer: str
    issued: str
    cross: bool = False


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The nodes, issuers first if such an order exists, and the edges."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def hierarchy_of(manifest: Mapping[str, Any], now: datetime) -> Hierarchy:
    """Return the hierarchy of a manifest, with the status of each node at the time ``now`` (UTC)."""
    builder = _HierarchyBuilder(now)
    sound = [one["name"] for one in manifest["authorities"] if "fault" not in one]
    for alike in _alike_authorities(manifest["authorities"], sound):
        builder.authority(alike)
    builder.certificates(manifest["cases"])
    return Hierarchy(plain(manifest["environment"]), tuple(builder.nodes), tuple(builder.edges))


def _alike_authorities(
    authorities: Sequence[Mapping[str, Any]], sound: Sequence[str]
) -> Iterable[list[Mapping[str, Any]]]:
    """Group the copies of a CA that have the same issuer or are roots; other CAs are groups of one."""
    places = dict[str, tuple[str, ...]]()
    alike = dict[tuple[str, ...], list[Mapping[str, Any]]]()
    for one in authorities:
        place: tuple[str, ...] = (one["name"],)
        if "fault" in one:
            base = max((name for name in sound if one["name"].startswith(f"{name}.")), key=len, default="")
            place = ("copies", base, *places.get(one["issuer"] or "", ()))
        places[one["name"]] = place
        alike.setdefault(place, []).append(one)
    for group in alike.values():
        yield from [group] if len(group) > FEW else ([one] for one in group)


class _HierarchyBuilder:
    """Collects the nodes and edges."""

    def __init__(self, now: datetime) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._now = now
        self._node_of = dict[str, str]()

    def authority(self, alike: list[Mapping[str, Any]]) -> None:
        """Add one node for a CA, or for the copies of a CA."""
        first = alike[0]
        kind: Kind = "authority" if first["issuer"] else "root"
        if len(alike) == 1:
            node = self._add(
                kind, first["name"], f"{first['key']['kind']}, until {day(first['not_after'])}", alike
            )
        else:
            base = first["name"].removesuffix(f".{first['fault']['base']}.{first['fault']['id']}")
            node = self._add(
                kind, f"{len(alike):,} copies of {base}", "each faulty, or copied for a case", alike
            )
        for one in alike:
            self._node_of[one["name"]] = node.id
        self._issued(node, alike)

    def certificates(self, cases: Sequence[Mapping[str, Any]]) -> None:
        """Add the nodes of end entities below their issuers."""
        below = dict[str, dict[tuple[str, ...], list[Mapping[str, Any]]]]()
        for one in cases:
            issuer = self._node_of.get(one["issuer"] or "", "")
            fault = one.get("fault")
            shape = _DIGITS.sub("#", one["name"])
            key = ("copies", fault["base"]) if fault else (shape, *marks(one, self._now))
            below.setdefault(issuer, {}).setdefault(key, []).append(one)
        for groups in below.values():
            for alike in _at_most(MOST_BELOW, groups.values()):
                self._certificate(alike)

    def _certificate(self, alike: list[Mapping[str, Any]]) -> None:
        first, last = alike[0], alike[-1]
        if len(alike) == 1:
            note = f"until {day(first['not_after'])}"
            if fault := first.get("fault"):
                note = fault["says"]
            node = self._add("certificate", first["name"], note, alike)
        elif first.get("fault") and last.get("fault"):
            verdicts = Counter(one["verdict"]["expected"] for one in alike)
            words = [f"{verdicts[word]:,} {label}" for word, label in _WORDS.items() if verdicts[word]]
            title = f"{len(alike):,} faulty copies of {first['fault']['base']}"
            node = self._add("certificate", title, " · ".join(words), alike)
        else:
            title = f"{first['name']} … {last['name']}"
            node = self._add("certificate", title, quantity(len(alike), "certificate"), alike)
        self._issued(node, alike)

    def _add(self, kind: Kind, title: str, note: str, alike: list[Mapping[str, Any]]) -> Node:
        common = set.intersection(*(set(marks(one, self._now)) for one in alike))
        common_marks = tuple(mark for mark in marks(alike[0], self._now) if mark in common)
        folder = "certificates" if kind == "certificate" else "authorities"
        names = tuple(f"{folder}/{one['name']}" for one in alike)
        node = Node(f"n{len(self.nodes)}", kind, plain(title), plain(note), common_marks, names)
        self.nodes.append(node)
        return node

    def _issued(self, node: Node, alike: list[Mapping[str, Any]]) -> None:
        edges = [
            Edge(self._node_of[one["issuer"]], node.id) for one in alike if one["issuer"] in self._node_of
        ]
        for one in alike:
            issuers = (cross["issuer"] for cross in one["cross_certificates"])
            edges += [Edge(self._node_of[name], node.id, True) for name in issuers if name in self._node_of]
        self.edges += [edge for edge in dict.fromkeys(edges) if edge.issuer != node.id]


def _at_most(most: int, groups: Iterable[list[Mapping[str, Any]]]) -> Iterable[list[Mapping[str, Any]]]:
    """Keep large groups and split the others into single nodes; if there are too many, join the last ones."""
    parts = [part for group in groups for part in ([group] if len(group) > FEW else [[one] for one in group])]
    single = [part for part in parts if len(part) == 1 and "fault" not in part[0]]
    surplus = len(parts) - most
    if surplus <= 0 or len(single) <= FEW:
        return parts
    rest = single[-surplus - 1 :]
    return [part for part in parts if part not in rest] + [[one for part in rest for one in part]]
