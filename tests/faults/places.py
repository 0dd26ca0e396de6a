"""Where two certificates differ, as openssl's ASN.1 parser sees them; where a fault was planned to differ.

A place is a field of the Certificate (RFC 5280, 4.1), an extension by the name that openssl has for it
(``extensions`` as a whole in what is planned), or ``other`` for elements that are too many.
"""

from __future__ import annotations

import binascii
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path

from pkigen.faults import Case
from pkigen.model import CertificatePlan, Edit, EditOp, Entity, Signature

_LINE = re.compile(
    r" *(?P<at>\d+):d=(?P<depth>\d+) +hl= *(?P<header>\d+) +l= *(?P<length>\d+|inf) +(?:prim|cons): +"
    r"(?P<type>[^:]*?) *(?::(?P<value>.*))?$"
)
_TBS = ("version", "serial", "inner algorithm", "issuer", "validity", "subject", "key", "extensions")
_OUTER = ("other", "outer algorithm", "signature")
_MOVING = (EditOp.REMOVE, EditOp.INSERT, EditOp.APPEND)


@dataclass
class Node:
    """One element: its type in openssl's output, its value if it is primitive, its children.

    ``header`` is the size of tag and length in bytes.
    """

    type: str
    value: str
    header: str = ""
    children: list[Node] = field(default_factory=list)

    def text(self) -> str:
        """Type, value and contents in one line."""
        inner = " ".join(child.text() for child in self.children)
        return f"{self.type}/{self.header} {self.value} ({inner})"


def fields_of(certificate: Path) -> dict[str, str] | None:
    """Return the fields of a certificate by place; None if openssl cannot parse it."""
    return _fields_of(certificate.read_bytes())


@cache  # most certificates of two builds from one seed are the same
def _fields_of(content: bytes) -> dict[str, str] | None:
    structure = asn1_structure(content)
    if structure is None or len(structure.children) < 3 or len(structure.children[0].children) < 6:
        return None
    tbs, outer, signature, *more = structure.children
    parts = list(tbs.children)
    version = parts.pop(0).text() if parts[0].type == "cont [ 0 ]" else ""
    names = ("serial", "inner algorithm", "issuer", "validity", "subject", "key")
    fields = {name: node.text() for name, node in zip(names, parts, strict=False)}
    fields |= {"version": version, "outer algorithm": outer.text(), "signature": signature.type}
    rest = parts[len(names) :]
    known = [node for node in rest if node.type == "cont [ 3 ]"]
    fields["other"] = tbs.type + " ".join(
        node.text() for node in (*more, *(one for one in rest if one not in known))
    )
    for name, value in chain.from_iterable(map(extensions_of, known)):
        fields[f"{name} again" if name in fields else name] = value
    return fields


def asn1_structure(content: bytes) -> Node | None:
    """Return the structure of PEM or DER; None if openssl cannot parse it."""
    data = der_of(content)
    command = ["openssl", "asn1parse", "-inform", "DER"]
    output = subprocess.run(command, input=data, capture_output=True, check=False)
    text = output.stdout.decode(errors="replace")
    return _structure(text, data) if data and output.returncode == 0 else None


def der_of(data: bytes) -> bytes:
    """Return the content of the first PEM block, or the data itself; b"" if the block is not Base64."""
    body = re.search(rb"-----BEGIN [A-Z0-9 ]+-----([^-]*)", data)
    try:
        return b64decode(body[1]) if body else data
    except binascii.Error:
        return b""


def _structure(text: str, data: bytes) -> Node | None:
    """Parse the output of asn1parse; the content of BIT STRINGs, which it omits, comes from the data."""
    top = Node("", "")
    stack = [top]
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            stack[-1].value += line  # a value with a line feed in it
            continue
        del stack[int(match["depth"]) + 1 :]
        node = Node(match["type"], match["value"] or "", match["header"])
        if node.type == "BIT STRING":
            start = int(match["at"]) + int(match["header"])
            node.value = data[start : start + int(match["length"])].hex()
        stack[-1].children.append(node)
        stack.append(node)
    return top.children[0] if len(top.children) == 1 else None


def extensions_of(known: Node) -> Iterator[tuple[str, str]]:
    """Yield the extensions in a tagged list: the name that openssl has for each, and its text."""
    yield "extensions", " ".join(node.type for node in known.children)
    for listed in known.children:
        for node in listed.children:
            name = node.children[0].value if node.children else "extensions"
            yield name or "extensions", node.text()


def differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """The places in which two certificates differ."""
    return {name for name in {**one, **other} if one.get(name) != other.get(name)}


def planned(twin: Case, made: Case) -> dict[str, set[str]]:
    """By entity id, the places in which a fault is planned to make a certificate differ."""
    sound = {entity.id: entity for entity in (twin.entity, *twin.authorities)}
    issuers = {entity.id: entity for entity in made.authorities}
    return {
        entity.id: set(_planned(sound[entity.id], entity, sound, issuers))
        for entity in (made.entity, *made.authorities)
        if entity.id in sound
    }


def _planned(
    twin: Entity, made: Entity, sound: dict[str, Entity], issuers: dict[str, Entity]
) -> Iterator[str]:
    one, other = twin.certificates[0], made.certificates[0]
    yield from (
        name for name in ("subject", "issuer", "serial") if getattr(one, name) != getattr(other, name)
    )
    if (one.not_before, one.not_after) != (other.not_before, other.not_after):
        yield "validity"
    if _algorithm(one) != _algorithm(other) or one.issuer_id != other.issuer_id:
        yield from ("inner algorithm", "outer algorithm")
    if one.extensions != other.extensions:
        yield "extensions"
    if _key(twin) != _key(made):
        yield from ("key", "extensions")  # the key identifier follows
    issuer = other.issuer_id
    if issuer != one.issuer_id or (issuer in issuers and _key(issuers[issuer]) != _key(sound[issuer])):
        yield from ("inner algorithm", "outer algorithm", "extensions")
    yield from chain.from_iterable(map(_of_edit, other.edits))


def _algorithm(plan: CertificatePlan) -> Signature:
    return replace(plan.signature, own_generator=False, bare_digest_info=False)


def _key(entity: Entity) -> tuple[str, str]:
    return entity.key, entity.key_of


def _of_edit(edit: Edit) -> Iterator[str]:
    if not edit.path or (edit.op in _MOVING and len(edit.path) == 1):
        yield "other"
    if not edit.path:
        return
    inner = edit.path if edit.signed else edit.path[1:]
    if edit.signed or (edit.path[0] == 0 and inner):
        yield _TBS[min(inner[0], len(_TBS) - 1)]
    else:
        yield _OUTER[min(edit.path[0], len(_OUTER) - 1)]
