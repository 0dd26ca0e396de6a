"""Draws the hierarchy as SVG: the position of each node, then the drawing for light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pkigen.report.hierarchy import Edge, Hierarchy, Node
from pkigen.report.jinja_templates import read_template, render_template


def as_svg(hierarchy: Hierarchy, targets: Mapping[str, str] | None = None) -> str:
    """Return an SVG document, or, with ``targets`` (HTML IDs by name), an SVG element for a page."""
    style = "" if targets else Markup(read_template("tokens.css") + read_template("hierarchy.css"))  # noqa: S704  ours
    values = {"drawn": laid_out(hierarchy), "title": hierarchy.title, "style": style}
    return render_template("hierarchy.svg", {**values, "targets": targets or {}})


NARROWEST, WIDEST = 150, 300
"""Of a box, in pixels; longer labels are truncated; a tooltip contains the full text."""
BOX_HEIGHT, MARK_HEIGHT, ROW_GAP, TREE_GAP = 46, 18, 10, 22
COLUMN_GAP = 60
MARGIN = 12
TITLE_SIZE, NOTE_SIZE, MARK_SIZE = 14, 12, 11
_PADDING = 12
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|!()[] -"), frozenset("mwMW@%…—")


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on a box; ``x`` is relative to the left edge of the box."""

    word: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Box:
    """A node with the position of its upper left corner, in pixels; long labels are truncated."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    title: str
    note: str
    marks: tuple[Mark, ...]

    @property
    def middle(self) -> float:
        """The vertical center."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as an SVG path; ``x`` and ``y`` are the position of its label."""

    path: str
    cross: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """All of it, with its size in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def laid_out(hierarchy: Hierarchy) -> Layout:
    """Boxes in columns by how deep they are, each beside the middle of what it issued."""
    children = dict[str, list[Node]]()
    parents = dict[str, str]()
    nodes = {node.id: node for node in hierarchy.nodes}
    for edge in hierarchy.edges:
        if not edge.cross and edge.issued not in parents:
            parents[edge.issued] = edge.issuer
            children.setdefault(edge.issuer, []).append(nodes[edge.issued])
    columns = _columns(hierarchy)
    widths = dict[int, float]()
    for node in hierarchy.nodes:
        column = columns[node.id]
        widths[column] = max(widths.get(column, NARROWEST), min(_width_of(node), WIDEST))
    places = _Places(children)
    for node in hierarchy.nodes:
        if node.id not in parents:
            places.place(node)
    starts = _starts(widths)
    boxes = {
        node.id: _box(node, starts[columns[node.id]], places.middles[node.id], widths[columns[node.id]])
        for node in hierarchy.nodes
    }
    lines = tuple(_line(edge, boxes) for edge in hierarchy.edges)
    last = max(starts, default=0)
    width = starts.get(last, 0.0) + widths.get(last, NARROWEST) + MARGIN
    bottom = max((box.y + box.height for box in boxes.values()), default=0.0)
    return Layout(width, bottom + MARGIN, tuple(boxes.values()), lines)


class _Places:
    """Gives heights out from above to below, to what issued nothing first."""

    def __init__(self, children: Mapping[str, list[Node]]) -> None:
        self.middles = dict[str, float]()
        self._children = children
        self._next = float(MARGIN)

    def place(self, node: Node) -> None:
        """Place a node and all that is below it."""
        below = sorted(self._children.get(node.id, ()), key=lambda one: one.kind == "certificate")
        if not below:
            self.middles[node.id] = self._next + _height_of(node) / 2
            self._next += _height_of(node) + ROW_GAP
            return
        start = self._next
        for one in below:
            self.place(one)
        first, last = self.middles[below[0].id], self.middles[below[-1].id]
        self.middles[node.id] = max((first + last) / 2, start + _height_of(node) / 2)
        own_end = self.middles[node.id] + _height_of(node) / 2 + ROW_GAP
        self._next = max(self._next, own_end) + TREE_GAP - ROW_GAP


def _columns(hierarchy: Hierarchy) -> dict[str, int]:
    """Return each node's column: one more than its deepest issuer; later issuers are ignored."""
    issuers = dict[str, list[str]]()
    for edge in hierarchy.edges:
        issuers.setdefault(edge.issued, []).append(edge.issuer)
    columns = dict[str, int]()
    for node in hierarchy.nodes:
        above = [columns[issuer] for issuer in issuers.get(node.id, ()) if issuer in columns]
        columns[node.id] = max(above, default=-1) + 1
    return columns


def _starts(widths: Mapping[int, float]) -> dict[int, float]:
    starts, x = dict[int, float](), float(MARGIN)
    for column in sorted(widths):
        starts[column] = x
        x += widths[column] + COLUMN_GAP
    return starts


def _box(node: Node, x: float, middle: float, width: float) -> Box:
    height = _height_of(node)
    room = width - 2 * _PADDING
    title, note = fitted(node.title, TITLE_SIZE, room, bold=True), fitted(node.note, NOTE_SIZE, room)
    return Box(node, x, middle - height / 2, width, height, title, note, _marks(node))


def _marks(node: Node) -> tuple[Mark, ...]:
    labels, x = list[Mark](), float(_PADDING)
    for word in node.marks:
        width = text_width(word, MARK_SIZE, bold=True) + 14
        labels.append(Mark(word, x, width))
        x += width + 5
    return tuple(labels)


def _height_of(node: Node) -> float:
    return BOX_HEIGHT + (MARK_HEIGHT if node.marks else 0)


def _width_of(node: Node) -> float:
    marks = _marks(node)
    words = max(text_width(node.title, TITLE_SIZE, bold=True), text_width(node.note, NOTE_SIZE))
    return max(words + 2 * _PADDING, marks[-1].x + marks[-1].width + _PADDING if marks else 0)


def _line(edge: Edge, boxes: Mapping[str, Box]) -> Line:
    """Draw from the right side of the issuer to the left side of the issued node."""
    issuer, issued = boxes[edge.issuer], boxes[edge.issued]
    x1, y1, x2, y2 = issuer.x + issuer.width, issuer.middle, issued.x, issued.middle
    if edge.cross:
        y2 += issued.height / 4 if y1 > y2 else -issued.height / 4
    bend = x2 - COLUMN_GAP / 2
    path = f"M{x1:g} {y1:g} H{x2 - COLUMN_GAP:g} C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
    return Line(path, edge.cross, x2 - COLUMN_GAP / 2, (y1 + y2) / 2)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the maximum width of a text in pixels, in common sans-serif fonts."""
    ems = sum(
        0.38 if c in _NARROW else 1.0 if c in _WIDE or ord(c) > 0x2E80 else 0.74 if c.isupper() else 0.635
        for c in text
    )
    return ems * size * (1.09 if bold else 1.0)


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Truncate a text to a width in pixels, with an ellipsis."""
    if text_width(text, size, bold=bold) <= room:
        return text
    prefix = text
    while prefix and text_width(f"{prefix}…", size, bold=bold) > room:
        prefix = prefix[:-1]
    return f"{prefix.rstrip()}…"
