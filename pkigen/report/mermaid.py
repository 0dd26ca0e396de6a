"""The hierarchy in the Mermaid language, which code hosts and wikis draw."""

from __future__ import annotations

from collections.abc import Iterator

from pkigen.report.hierarchy import Hierarchy, Node

_CLASSES = (
    "classDef authority fill:#e6f1f6,stroke:#0a6c8f,color:#16202a",
    "classDef certificate fill:#ffffff,stroke:#8b99a6,color:#16202a",
    "classDef broken fill:#fdf3e0,stroke:#d98a00,color:#16202a,stroke-dasharray:5 3",
    "classDef bad fill:#fdebec,stroke:#d43746,color:#16202a",
)
_PLAIN = frozenset(" .,:/()+=_-*…")


def as_mermaid(hierarchy: Hierarchy) -> str:
    """Return a flowchart from left to right; cross-certificates are dotted."""
    return "\n".join(_lines(hierarchy)) + "\n"


def _lines(hierarchy: Hierarchy) -> Iterator[str]:
    yield "flowchart LR"
    for node in hierarchy.nodes:
        left, right = ("[[", "]]") if node.count > 1 else ("[", "]")
        yield f'  {node.id}{left}"{_label(node)}"{right}:::{_class(node)}'
    for edge in hierarchy.edges:
        yield f"  {edge.issuer} {'-. cross .->' if edge.cross else '-->'} {edge.issued}"
    for line in _CLASSES:
        yield f"  {line}"


def _label(node: Node) -> str:
    words = (node.title, node.note, ", ".join(node.marks))
    return "<br/>".join(_escaped(text) for text in words if text)


def _class(node: Node) -> str:
    if "broken" in node.marks:
        return "broken"
    if {"revoked", "expired"} & set(node.marks):
        return "bad"
    return "certificate" if node.kind == "certificate" else "authority"


def _escaped(text: str) -> str:
    """Escape a quoted label: special characters become character numbers."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in text)
