"""Artefacts -> their descriptions, and how they belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pkigen.inspection.artifacts import Artifact, Kind
from pkigen.inspection.description import relations
from pkigen.inspection.description.certificate import add_certificate
from pkigen.inspection.description.crl import add_crl
from pkigen.inspection.description.key import (
    HOW_TO_OPEN,
    add_key,
    add_public_key,
    passphrase_is_missing,
)
from pkigen.inspection.description.relations import Relation, RelationKind
from pkigen.inspection.description.request import add_request
from pkigen.inspection.description.sheet import (
    Description,
    DescriptionBuilder,
    Rendering,
    rendering,
)

_BAG_ATTRIBUTES = b"Bag Attributes"
_MOST_ATTRIBUTES = 12


@dataclass(frozen=True, slots=True)
class Overview:
    """The descriptions in the order of the artefacts, and the ties between these.

    ``complete`` is False when there were too many signatures to try each that could be a tie.
    """

    descriptions: tuple[Description, ...]
    relations: tuple[Relation, ...]
    complete: bool


def describe(artefacts: Sequence[Artifact], now: datetime, *, every_entry: bool = False) -> Overview:
    """Every artefact in words, as it stands at ``now`` (UTC). Raises nothing for what is in a file.

    The data of a CRL has its first entries, or with ``every_entry`` an iterator over all of them.
    """
    ties, complete = relations.relate(artefacts)
    of_each: list[list[Relation]] = [[] for _ in artefacts]
    for tie in ties:
        of_each[tie.subject].append(tie)
    view = _View(artefacts, now, every_entry, any(one.certificate or one.request for one in artefacts))
    described = tuple(view.describe(index, found) for index, found in enumerate(of_each))
    return Overview(described, ties, complete)


@dataclass(frozen=True, slots=True)
class _View:
    """The artefacts among which one is described; ``holders`` says whether a key can belong to one."""

    artefacts: Sequence[Artifact]
    now: datetime
    every_entry: bool
    holders: bool

    def describe(self, index: int, ties: Sequence[Relation]) -> Description:
        """One of the artefacts, with what it is to the others."""
        artefact, sheet = self.artefacts[index], DescriptionBuilder()
        _add_source(sheet, index, artefact)
        readable = self._add_contents(sheet, artefact, ties)
        sheet.data |= {
            "relations": [self._tie(tie) for tie in ties],
            "readable": readable,
            "malformed": sheet.malformed,
        }
        return Description(f"{artefact.source}: {artefact.kind}", tuple(sheet.fields), sheet.data, readable)

    def _add_contents(self, sheet: DescriptionBuilder, artefact: Artifact, ties: Sequence[Relation]) -> bool:
        """The fields of what is in it; whether it could be read."""
        if artefact.certificate:
            add_certificate(sheet, artefact.certificate, self.now)
        elif artefact.crl:
            signature = self._crl_signature(ties)
            add_crl(sheet, artefact.crl, self.now, signature, every_entry=self.every_entry)
        elif artefact.request:
            add_request(sheet, artefact.request)
        elif artefact.key:
            add_key(sheet, artefact.key)
            if artefact.key.public and self.holders:
                found = self._names(ties, RelationKind.KEY_OF)
                sheet.show("belongs_to", "belongs to", *(found or ("nothing among these files",)))
        elif not artefact.problem:
            return _add_others(sheet, artefact)
        return _add_problem(sheet, artefact)

    def _crl_signature(self, ties: Sequence[Relation]) -> Rendering:
        if good := self._names(ties, RelationKind.ISSUED_BY):
            return Rendering(tuple(f"verifies with {name}" for name in good), "good")
        if bad := self._names(ties, RelationKind.NOT_ISSUED_BY):
            return Rendering(tuple(f"does not verify with {name}" for name in bad), "bad", alarm=True)
        return Rendering(("not verified: give the issuer's certificate as well",), None)

    def _names(self, ties: Sequence[Relation], tie: RelationKind) -> tuple[str, ...]:
        return tuple(str(self.artefacts[found.object].source) for found in ties if found.tie is tie)

    def _tie(self, tie: Relation) -> dict[str, Any]:
        source = self.artefacts[tie.object].source
        where = {"index": tie.object, "file": source.file, "position": source.position}
        return {"relation": tie.tie.name.lower(), **where, "detail": tie.detail or None}


def _add_source(sheet: DescriptionBuilder, index: int, artefact: Artifact) -> None:
    source = artefact.source
    attributes = tuple(_bag_attributes(source.before))
    sheet.data |= {
        "index": index,
        "kind": artefact.kind.name.lower(),
        "file": source.file,
        "position": source.position,
        "label": source.label or None,
        "friendly_name": artefact.friendly_name or None,
        "bag_attributes": list(attributes),
        "problem": artefact.problem or None,
        "note": artefact.note or None,
    }
    label = f", labelled {source.label}" if source.label else ""
    sheet.add("encoding", "encoding", lambda: rendering(source.encoding.value + label, source.encoding.value))
    if artefact.friendly_name:
        sheet.show("friendly_name", "named", artefact.friendly_name)
    sheet.show("bag_attributes", "attributes", *attributes)
    if artefact.note:
        sheet.show("note", "note", artefact.note)


def _add_others(sheet: DescriptionBuilder, artefact: Artifact) -> bool:
    """A public key, or something that is known and not looked into; whether it could be read."""
    if artefact.kind is Kind.PUBLIC_KEY:
        add_public_key(sheet, artefact.der)
        return not sheet.malformed
    sheet.show("contents", "contents", f"{len(artefact.der):,} bytes, which are not shown")
    return True


def _add_problem(sheet: DescriptionBuilder, artefact: Artifact) -> bool:
    """What is wrong with it as a whole; True when that is no more than a passphrase not given."""
    missing = passphrase_is_missing(artefact.problem)
    if missing and not artefact.key:
        sheet.show("problem", "contents", HOW_TO_OPEN)
    elif artefact.problem and not missing:
        sheet.show("problem", "not read", artefact.problem, alarm=True)
    return missing or not artefact.problem


def _bag_attributes(before: bytes) -> Iterator[str]:
    """What openssl writes between ``Bag Attributes`` and the block, without subject and issuer."""
    lines = before.rpartition(_BAG_ATTRIBUTES)
    if not lines[1]:
        return
    for line in lines[2].splitlines()[: _MOST_ATTRIBUTES + 1]:
        if line[:1] in (b" ", b"\t") and line.strip():
            yield line.strip().decode("utf-8", "replace")
