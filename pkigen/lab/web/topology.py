"""Layout of the overview drawing: boxes of the members and edges of their connections.

There is one layout for wide screens and one for phones. Lengths are in units of the SVG, which the browser
scales.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.connections.connection import Connection, ConnectionState
from pkigen.lab.lab import Lab

MOST_SENSORS = 12
"""Maximum number of sensors in the drawing; those with problems come first."""

GRADES = {
    ConnectionState.WAITING: "wait",
    ConnectionState.CONNECTED: "good",
    ConnectionState.UNVALIDATED: "notice",
    ConnectionState.HALTED: "bad",
    ConnectionState.UNANSWERED: "bad",
}
MARKS = {"wait": "…", "good": "✓", "notice": "!", "bad": "✕"}
RANK = {"bad": 0, "notice": 1, "wait": 2, "good": 3}
_KINDS = {"syslog": "syslog (CEF, TLS)", "webhook": "webhook"}
_MANY = 6
_TALL = 100
_TOP = 30
_PORT = 22
"""Distance between the starts of two edges, which leaves room for their marks."""
_BOLD_LETTER, _LETTER = 0.68, 0.61
"""Width of a letter in the widest common font, relative to the font size."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text with its font size."""

    words: str
    size: float


@dataclass(frozen=True, slots=True)
class Party:
    """A member in the drawing; ``href`` is its link or "", ``odd`` an unusual setting."""

    name: str
    kind: str
    href: str = ""
    odd: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """The position of a member."""

    party: Party
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The vertical center."""
        return self.y + self.height / 2

    @property
    def label(self) -> tuple[Text, ...]:
        """The name, truncated to the box; in a tall box on several lines."""
        room = self.width - 20
        words = _broken(self.party.name, room, 13.0) if self.height > _TALL else [self.party.name]
        return tuple(fit(one, room, 15.0 if len(words) == 1 else 13.0, 11.0) for one in words)

    @property
    def note(self) -> Text:
        """The kind of the member, or its unusual setting."""
        return fit(self.party.odd or self.party.kind, self.width - 20, 12.5, 10.0, _LETTER)


@dataclass(frozen=True, slots=True)
class Edge:
    """The line of a connection as SVG path data, and the position of its mark."""

    connection: Connection
    path: str
    x: float
    y: float

    @property
    def grade(self) -> str:
        """The grade of the connection."""
        return grade(self.connection)

    @property
    def mark(self) -> str:
        """A symbol in addition to the color."""
        return MARKS[self.grade]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing; ``heads`` are labels with positions, ``hidden`` is the number of sensors left out."""

    shape: str
    width: float
    height: float
    heads: tuple[tuple[str, float, float], ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    hidden: int


def grade(connection: Connection) -> str:
    """Return the grade of a connection."""
    return GRADES[connection.report.state]


def fit(words: str, room: float, size: float, smallest: float, letter: float = _BOLD_LETTER) -> Text:
    """Fit a text into a width: reduce the font size, or else replace the middle by an ellipsis."""
    size = min(size, max(smallest, int(20 * room / (letter * max(len(words), 1))) / 20))
    most = int(room / (letter * size))
    if len(words) > most:
        ahead = most // 2
        words = f"{words[:ahead]}…{words[len(words) - (most - ahead - 1) :]}"
    return Text(words, size)


def _broken(name: str, room: float, size: float) -> list[str]:
    """Break a name at hyphens and dots into lines that fit."""
    parts = [""]
    for piece in re.findall(r"[^-. ]*[-. ]?", name):
        if parts[-1] and len(parts[-1] + piece) * size * _BOLD_LETTER > room:
            parts.append("")
        parts[-1] += piece
    return parts


def drawings(lab: Lab, own: Appliance) -> tuple[Drawing, Drawing]:
    """Return the wide and the narrow drawing; a sensor shows only its own connections."""
    connections = lab.connections if own.role is not Role.SENSOR else lab.connections_of(own)
    sensors = _sensors(lab, connections, own)
    drawn = sensors[:MOST_SENSORS]
    columns = (
        [_appliance(one, own) for one in drawn],
        [_appliance(lab.console, own)],
        list(_receiving(lab, connections, own)),
    )
    hidden = len(sensors) - len(drawn)
    return _wide(columns, connections, hidden), _narrow(columns, connections, hidden)


Columns = tuple[Sequence[Party], Sequence[Party], Sequence[Party]]
_HEADS = ("Sensors", "Management console", "HA and alert receivers")


def _wide(columns: Columns, connections: Sequence[Connection], hidden: int) -> Drawing:
    """Lay out columns side by side; an empty one is left out."""
    used = [column for column in columns if column]
    rows = max(2, *map(len, used))
    box_width, box_height, gap = 216.0, 38.0 if rows > _MANY else 54.0, 12.0 if rows > _MANY else 22.0
    box_height = max(box_height, _PORT * _most_of_one(columns[0], connections) + 4)
    between = 104.0 if len(used) > 2 else 180.0
    width = len(used) * box_width + (len(used) - 1) * between + 8
    boxes, heads = dict[str, Box](), list[tuple[str, float, float]]()
    pitch = box_height + gap
    for place, column in enumerate(used):
        x = 4 + place * (box_width + between)
        heads.append((_HEADS[columns.index(column)], x, 16.0))
        for row, party in enumerate(column):
            y = _TOP + (row + 0.5) * rows / len(column) * pitch - box_height / 2
            boxes[party.name] = Box(party, x, y, box_width, box_height)
    edges = tuple(_wide_edges(boxes, connections))
    return Drawing("wide", width, _TOP + rows * pitch, tuple(heads), tuple(boxes.values()), edges, hidden)


def _most_of_one(senders: Iterable[Party], connections: Sequence[Connection]) -> int:
    """Return the highest number of connections of one sender."""
    return max(
        (sum(connection.sender.name == one.name for connection in connections) for one in senders), default=0
    )


def _wide_edges(boxes: dict[str, Box], connections: Iterable[Connection]) -> Iterator[Edge]:
    drawn = [
        connection
        for connection in connections
        if connection.sender.name in boxes and connection.target.name in boxes
    ]
    for connection in drawn:
        sender, target = boxes[connection.sender.name], boxes[connection.target.name]
        outgoing = [one for one in drawn if one.sender is connection.sender]
        x1, x2 = sender.x + sender.width, target.x
        first = connection.sender.role is Role.SENSOR
        y1 = sender.middle + (_PORT * (outgoing.index(connection) - (len(outgoing) - 1) / 2) if first else 0)
        past = x2 - x1 > sender.width
        ahead = 30 if first and len(outgoing) > 1 else 0
        y2 = target.middle + (12 if past else 0)
        if past:
            yield Edge(connection, _past_the_console(boxes, (x1, y1), (x2, y2)), x1 + 16, y1)
        else:
            at = 0.26 if first else 0.74
            bend = (x2 - x1 - ahead) / 2
            path = f"M{x1:g} {y1:g} h{ahead} C{x2 - bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
            mark = (x1 + 16, y1) if ahead else _point_on_curve(at, (x1, y1), (x2, y2))
            yield Edge(connection, path, *mark)


def _point_on_curve(at: float, begin: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the point of a curve with horizontal ends, at a parameter from 0 to 1."""
    (x1, y1), (x2, y2) = begin, end
    along = 1.5 * at * (1 - at) + at**3
    across = at * at * (3 - 2 * at)
    return round(x1 + (x2 - x1) * along, 1), round(y1 + (y2 - y1) * across, 1)


def _past_the_console(boxes: dict[str, Box], begin: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a path from a sensor to a receiver that passes above or below the console."""
    console = next(box for box in boxes.values() if begin[0] < box.x < end[0] - box.width)
    (x1, y1), (x2, y2) = begin, end
    lane = console.y - 14 if (y1 + y2) / 2 < console.middle else console.y + console.height + 14
    x3, x4 = console.x, console.x + console.width
    near, far = (x3 - x1) / 2, (x2 - x4) / 2
    return (
        f"M{x1:g} {y1:g} h30 C{x1 + near + 30:g} {y1:g} {x3 - near:g} {lane:g} {x3:g} {lane:g} H{x4:g} "
        f"C{x4 + far:g} {lane:g} {x2 - far:g} {y2:g} {x2:g} {y2:g}"
    )


def _narrow(columns: Columns, connections: Sequence[Connection], hidden: int) -> Drawing:
    """Lay out all members in one column, with the console as a tall box at its right."""
    direct = any(
        connection.sender.role is Role.SENSOR and connection.target.appliance is None
        for connection in connections
    )
    ports = _most_of_one(
        columns[0], [connection for connection in connections if connection.target.name != columns[1][0].name]
    )
    x, box_width, box_height = 28.0 if direct else 2.0, 166.0, max(40.0, _PORT * ports + 4)
    pitch = box_height + 10
    boxes, heads, y = dict[str, Box](), list[tuple[str, float, float]](), 0.0
    for head, column in ((_HEADS[0], columns[0]), (_HEADS[2], columns[2])):
        if column:
            heads.append((head, x, y + 14))
            y += 24
        for party in column:
            boxes[party.name] = Box(party, x, y, box_width, box_height)
            y += pitch
        y += 8 if column else 0
    height = max(y - 16, 70.0)
    console = columns[1][0]
    right = Box(console, x + box_width + 50, 24.0, 136.0, height - 26)
    boxes[console.name] = right
    edges = tuple(_narrow_edges(boxes, right, connections))
    return Drawing(
        "narrow", right.x + right.width + 2, height, tuple(heads), tuple(boxes.values()), edges, hidden
    )


def _narrow_edges(boxes: dict[str, Box], console: Box, connections: Iterable[Connection]) -> Iterator[Edge]:
    drawn = [
        connection
        for connection in connections
        if connection.sender.name in boxes and connection.target.name in boxes
    ]
    for connection in drawn:
        sender, target = boxes[connection.sender.name], boxes[connection.target.name]
        if console in (sender, target):
            other = sender if target is console else target
            x1, x2, y = other.x + other.width, console.x, other.middle
            yield Edge(connection, f"M{x1:g} {y:g} H{x2:g}", (x1 + x2) / 2, y)
        else:
            direct = [
                one
                for one in drawn
                if one.sender is connection.sender and boxes[one.target.name] is not console
            ]
            x, y1 = sender.x, sender.middle + _PORT * (direct.index(connection) - (len(direct) - 1) / 2)
            y2 = target.middle
            yield Edge(connection, f"M{x:g} {y1:g} h-14 C0 {y1:g} 0 {y2:g} {x:g} {y2:g}", x - 14, y1)


def _sensors(lab: Lab, connections: Sequence[Connection], own: Appliance) -> list[Appliance]:
    if own.role is Role.SENSOR:
        return [own]
    worst = dict[str, int]()
    for connection in connections:
        rank = RANK[grade(connection)]
        worst[connection.sender.name] = min(rank, worst.get(connection.sender.name, rank))
    sensors = [one for one in lab.appliances.values() if one.role is Role.SENSOR]
    if len(sensors) <= MOST_SENSORS:
        return sensors
    return sorted(sensors, key=lambda one: worst.get(one.name, 3))


def _receiving(lab: Lab, connections: Sequence[Connection], own: Appliance) -> Iterator[Party]:
    if own.role is not Role.SENSOR:
        for one in lab.appliances.values():
            if one.role is Role.SECONDARY:
                yield _appliance(one, own)
    for name, kind in dict.fromkeys(
        (connection.target.name, connection.target.kind) for connection in connections
    ):
        if name not in lab.appliances:
            yield Party(name, _KINDS[kind])


def _appliance(one: Appliance, own: Appliance) -> Party:
    odd = ["self-signed"] if one.local else []
    odd += [] if one.mandatory else ["validation off"]
    return Party(one.name, str(one.role), one.url, ", ".join(odd), one is own)
