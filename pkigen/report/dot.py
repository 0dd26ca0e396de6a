"""The hierarchy in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from pkigen.report.hierarchy import Hierarchy, Node

_LOOKS = {
    "root": 'fillcolor="#e6f1f6", penwidth=2',
    "authority": 'fillcolor="#e6f1f6"',
    "certificate": 'fillcolor="#ffffff"',
}


def as_dot(hierarchy: Hierarchy) -> str:
    """Return a digraph from left to right; cross-certificates are dashed, faulty nodes dashed and amber."""
    return "\n".join(_lines(hierarchy)) + "\n"


def _lines(hierarchy: Hierarchy) -> Iterator[str]:
    yield f"digraph {_quoted(hierarchy.title)} {{"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, color="#566472"];'
    yield '  edge [color="#566472", arrowsize=0.7, fontname="Helvetica", fontsize=10];'
    for node in hierarchy.nodes:
        yield f"  {node.id} [label={_quoted(_label(node))}, {_look(node)}];"
    for edge in hierarchy.edges:
        look = ' [style=dashed, color="#0a6c8f", label="cross"]' if edge.cross else ""
        yield f"  {edge.issuer} -> {edge.issued}{look};"
    yield "}"


def _label(node: Node) -> str:
    return "\n".join(filter(None, (node.title, node.note, ", ".join(node.marks))))


def _look(node: Node) -> str:
    look = _LOOKS[node.kind]
    if node.count > 1:
        look += ", peripheries=2"
    if "broken" in node.marks:
        look += ', style="rounded,filled,dashed", color="#d98a00"'
    elif {"revoked", "expired"} & set(node.marks):
        look += ', color="#d43746"'
    return look


def _quoted(text: str) -> str:
    r"""Quote a DOT string: line breaks become \n, and backslashes and quotes are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
