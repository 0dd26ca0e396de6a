"""The suite ``pathbuilding`` of BetterTLS: graphs of CAs, and 81 cases with invalid certificates in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Edge = tuple[str, str]
"""The name of an issuer, and that of the subject of its certificate."""


@dataclass(frozen=True)
class Graph:
    """Certificates of CAs, in the order in which a server sends them; ``leaves`` maps subjects to issuers."""

    name: str
    title: str
    roots: tuple[str, ...]
    edges: tuple[Edge, ...]
    leaves: dict[str, str]


def _edges(text: str) -> tuple[Edge, ...]:
    pairs = (edge.partition(">") for edge in text.split())
    return tuple((issuer, subject) for issuer, _, subject in pairs)


LINEAR = Graph("linear", "One CA", ("root",), _edges("root>ica"), {"ee": "ica"})
TWO_ROOTS = Graph(
    "two", "One CA below two roots", ("root1", "root2"), _edges("root1>ica root2>ica"), {"ee": "ica"}
)
MESH = Graph(
    "mesh",
    "Two CAs that certified each other, above a third one",
    ("root",),
    _edges("c>b a>b c>a a>c root>c root>a"),
    {"ee": "b"},
)
BRIDGE = Graph(
    "bridge",
    "Four PKIs and a bridge CA",
    ("z",),
    _edges(
        "f>h f>g g>f h>i i>h g>i w>f w>g j>k n>ee l>n l>m x>j x>l b>e b>d a>b c>b a>c c>a y>a y>c "
        "r>s o>r o>q p>s z>o z>p w>hub hub>w x>hub hub>x y>hub hub>y z>hub hub>z"
    ),
    {"ee": "n", "d": "b"},
)
GRAPHS = (LINEAR, TWO_ROOTS, MESH, BRIDGE)

DEFECTS = {
    "expired": "valid: {from: 2010-01-01, to: 2011-01-01}",
    "names": "name_constraints: {permitted: [dns:bad.example.com]}",
    "purpose": "extended_key_usage: [emailProtection]",
    "no-constraints": "basic_constraints: none",
    "no-ca": "basic_constraints: {ca: false}",
    "sha1": "signature: sha1",
}
"""The reasons why a certificate is invalid, in BetterTLS's order, and what the profile says for each."""


@dataclass(frozen=True)
class PathCase:
    """A case: its number, graph, anchor, end entity, invalid certificates, and their defect ("" for none)."""

    number: int
    graph: Graph
    anchor: str
    leaf: str
    invalid: tuple[Edge, ...]
    defect: str

    @property
    def chain(self) -> tuple[Edge, ...]:
        """The certificates of CAs that the server sends."""
        return tuple(edge for edge in self.graph.edges if edge[1] != self.leaf)

    @property
    def accepted(self) -> bool:
        """Whether valid certificates lead from the anchor to the end entity."""
        reached, waiting = {self.anchor}, [self.anchor]
        for name in waiting:
            for edge in self.graph.edges:
                if edge[0] == name and edge not in self.invalid and edge[1] not in reached:
                    reached.add(edge[1])
                    waiting.append(edge[1])
        return self.graph.leaves[self.leaf] in reached


_WITHOUT_DEFECT = "linear/root two/root1 two/root2"
_CASES = (
    "linear/root linear/root/root>ica linear/ica/root>ica "
    "two/root1 two/root2 two/root1/root2>ica two/root2/root1>ica two/root1/root1>ica two/root2/root2>ica "
    "mesh/root mesh/root/root>c,a>b mesh/root/root>a,c>b "
    "bridge/z/-/d bridge/z bridge/z/x>hub bridge/z/hub>x bridge/z/z>hub"
)
"""GRAPH/ANCHOR/INVALID/LEAF; each case with invalid certificates stands for one case for each defect."""


def cases() -> Iterator[PathCase]:
    """Yield the 81 cases in BetterTLS's order: first those that test for its features."""
    texts: list[tuple[str, tuple[str, ...]]] = [(text, ("",)) for text in _WITHOUT_DEFECT.split()]
    texts.append(("linear/root/root>ica", tuple(DEFECTS)))
    texts += [(text, tuple(DEFECTS) if ">" in text else ("",)) for text in _CASES.split()]
    graphs = {graph.name: graph for graph in GRAPHS}
    number = 0
    for text, defects in texts:
        graph, anchor, *rest = text.split("/")
        invalid = _edges(rest[0].replace(",", " ")) if rest and rest[0] != "-" else ()
        leaf = rest[1] if len(rest) > 1 else "ee"
        for defect in defects:
            yield PathCase(number, graphs[graph], anchor, leaf, invalid, defect)
            number += 1
