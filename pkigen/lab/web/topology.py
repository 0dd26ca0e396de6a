"""The overview's drawing: where each party stands, and what its connections look like."""

from __future__ import annotations

from dataclasses import dataclass

from pkigen.lab.appliance import Appliance, Role
from pkigen.lab.lab import Lab
from pkigen.lab.links import Link, Standing

WIDTH = 960
_BOX_WIDTH, _BOX_HEIGHT, _GAP = 212, 56, 22
_TOP = 34
_COLUMNS = (8, (WIDTH - _BOX_WIDTH) // 2, WIDTH - _BOX_WIDTH - 8)
MOST_SENSORS = 12
"""Drawn at once: those whose connection is worst come first."""

GRADES = {
    Standing.WAITING: "wait",
    Standing.CONNECTED: "good",
    Standing.UNVALIDATED: "notice",
    Standing.HALTED: "bad",
    Standing.UNANSWERED: "bad",
}
MARKS = {"wait": "…", "good": "✓", "notice": "!", "bad": "✕"}
_RANK = {"bad": 0, "notice": 1, "wait": 2, "good": 3}


@dataclass(frozen=True, slots=True)
class Box:
    """A party: its place in pixels, two lines of words, where a click leads ("" for nowhere)."""

    name: str
    kind: str
    x: int
    y: int
    href: str
    note: str = ""
    own: bool = False
    width: int = _BOX_WIDTH
    height: int = _BOX_HEIGHT

    @property
    def middle(self) -> int:
        """Of its height."""
        return self.y + self.height // 2

    @property
    def label(self) -> str:
        """The name as far as there is room for it."""
        return self.name if len(self.name) <= 22 else f"{self.name[:21]}…"


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection from one point to another, with its mark between."""

    link: Link
    grade: str
    path: str
    x: int
    y: int

    @property
    def mark(self) -> str:
        """A sign beside the colour."""
        return MARKS[self.grade]


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; ``hidden`` sensors are in the table alone."""

    height: int
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    hidden: int


def grade(link: Link) -> str:
    """What a connection is drawn as."""
    return GRADES[link.report.standing]


def drawing(lab: Lab, own: Appliance) -> Drawing:
    """As an appliance sees it: a sensor itself and those it talks to, a console everything."""
    links = lab.links if own.role is not Role.SENSOR else lab.links_of(own)
    sensors = _sensors(lab, links, own)
    shown = sensors[:MOST_SENSORS]
    left = [_appliance(one, own) for one in shown]
    centre = [_appliance(lab.console, own)]
    right = [
        _appliance(one, own)
        for one in lab.appliances.values()
        if one.role is Role.SECONDARY and own.role is not Role.SENSOR
    ]
    named = {one.name for one in lab.appliances.values()}
    targets = dict.fromkeys((link.target.name, link.target.kind) for link in links)
    right += [_Party(name, _KINDS[kind], "", "", False) for name, kind in targets if name not in named]
    rows = max(len(left), len(centre), len(right), 2)
    boxes = dict[str, Box]()
    for column, parties in zip(_COLUMNS, (left, centre, right), strict=True):
        for place, party in enumerate(parties):
            y = _TOP + int((place + 0.5) * rows / len(parties) * (_BOX_HEIGHT + _GAP)) - _BOX_HEIGHT // 2
            boxes[party.name] = Box(party.name, party.kind, column, y, party.href, party.note, party.own)
    edges = tuple(
        _edge(link, boxes[link.sender.name], boxes[link.target.name])
        for link in links
        if link.sender.name in boxes and link.target.name in boxes
    )
    height = _TOP + rows * (_BOX_HEIGHT + _GAP) + 8
    return Drawing(height, tuple(boxes.values()), edges, len(sensors) - len(shown))


@dataclass(frozen=True, slots=True)
class _Party:
    name: str
    kind: str
    href: str
    note: str
    own: bool


_KINDS = {"syslog": "syslog (CEF over TLS)", "webhook": "webhook"}


def _sensors(lab: Lab, links: tuple[Link, ...], own: Appliance) -> list[Appliance]:
    if own.role is Role.SENSOR:
        return [own]
    worst = dict[str, int]()
    for link in links:
        rank = _RANK[grade(link)]
        worst[link.sender.name] = min(rank, worst.get(link.sender.name, rank))
    found = [one for one in lab.appliances.values() if one.role is Role.SENSOR]
    if len(found) <= MOST_SENSORS:
        return found
    return sorted(found, key=lambda one: worst.get(one.name, 3))


def _appliance(one: Appliance, own: Appliance) -> _Party:
    notes = ["self-signed"] if one.local else []
    notes += [] if one.mandatory else ["validation off"]
    return _Party(one.name, str(one.role), one.url, ", ".join(notes), one is own)


def _edge(link: Link, sender: Box, target: Box) -> Edge:
    """From side to side, or from above to below where both stand in one column."""
    x1, x2 = sender.x + sender.width, target.x
    if target.x < sender.x:
        x1, x2 = sender.x, target.x + target.width
    y1, y2 = sender.middle, target.middle
    if sender.x == _COLUMNS[0] and target.x == _COLUMNS[2]:
        # Past the console, not through it.
        y1, y2 = y1 - 14, y2 - 14
    bend = (x2 - x1) // 2
    path = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return Edge(link, grade(link), path, (x1 + x2) // 2, (y1 + y2) // 2)
