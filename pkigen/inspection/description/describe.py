"""Describes artifacts and the relations between them."""

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
    """The descriptions in the order of the artifacts, and the relations between the artifacts.

    ``complete`` is False if there were too many signatures to verify all of them.
    """

    descriptions: tuple[Description, ...]
    relations: tuple[Relation, ...]
    complete: bool


def describe(artifacts: Sequence[Artifact], now: datetime, *, every_entry: bool = False) -> Overview:
    """Return a description of every artifact at ``now`` (UTC). Never raises for the content of a file.

    The data of a CRL contains its first entries, or with ``every_entry`` an iterator over all of them.
    """
    all_relations, complete = relations.relate(artifacts)
    relations_of: list[list[Relation]] = [[] for _ in artifacts]
    for relation in all_relations:
        relations_of[relation.subject].append(relation)
    view = _View(artifacts, now, every_entry, any(one.certificate or one.request for one in artifacts))
    descriptions = tuple(view.describe(index, own) for index, own in enumerate(relations_of))
    return Overview(descriptions, all_relations, complete)


@dataclass(frozen=True, slots=True)
class _View:
    """Describes one of several artifacts; ``has_key_holders`` is true if a key can belong to one of them."""

    artifacts: Sequence[Artifact]
    now: datetime
    every_entry: bool
    has_key_holders: bool

    def describe(self, index: int, own_relations: Sequence[Relation]) -> Description:
        """Return the description of an artifact, with its relations to the others."""
        artifact, sheet = self.artifacts[index], DescriptionBuilder()
        _add_source(sheet, index, artifact)
        readable = self._add_contents(sheet, artifact, own_relations)
        sheet.data |= {
            "relations": [self._relation_data(relation) for relation in own_relations],
            "readable": readable,
            "malformed": sheet.malformed,
        }
        return Description(f"{artifact.source}: {artifact.kind}", tuple(sheet.fields), sheet.data, readable)

    def _add_contents(
        self, sheet: DescriptionBuilder, artifact: Artifact, own_relations: Sequence[Relation]
    ) -> bool:
        """Add the fields of the content; return whether it could be decoded."""
        if artifact.certificate:
            add_certificate(sheet, artifact.certificate, self.now)
        elif artifact.crl:
            signature = self._crl_signature(own_relations)
            add_crl(sheet, artifact.crl, self.now, signature, every_entry=self.every_entry)
        elif artifact.request:
            add_request(sheet, artifact.request)
        elif artifact.key:
            add_key(sheet, artifact.key)
            if artifact.key.public and self.has_key_holders:
                names = self._names(own_relations, RelationKind.KEY_OF)
                sheet.show("belongs_to", "belongs to", *(names or ("nothing among these files",)))
        elif not artifact.problem:
            return _add_others(sheet, artifact)
        return _add_problem(sheet, artifact)

    def _crl_signature(self, own_relations: Sequence[Relation]) -> Rendering:
        if good := self._names(own_relations, RelationKind.ISSUED_BY):
            return Rendering(tuple(f"verifies with {name}" for name in good), "good")
        if bad := self._names(own_relations, RelationKind.NOT_ISSUED_BY):
            return Rendering(tuple(f"does not verify with {name}" for name in bad), "bad", alarm=True)
        return Rendering(("not verified; also specify the issuer's certificate",), None)

    def _names(self, own_relations: Sequence[Relation], kind: RelationKind) -> tuple[str, ...]:
        return tuple(str(self.artifacts[one.object].source) for one in own_relations if one.kind is kind)

    def _relation_data(self, relation: Relation) -> dict[str, Any]:
        source = self.artifacts[relation.object].source
        where = {"index": relation.object, "file": source.file, "position": source.position}
        return {"relation": relation.kind.name.lower(), **where, "detail": relation.detail or None}


def _add_source(sheet: DescriptionBuilder, index: int, artifact: Artifact) -> None:
    source = artifact.source
    attributes = tuple(_bag_attributes(source.before))
    sheet.data |= {
        "index": index,
        "kind": artifact.kind.name.lower(),
        "file": source.file,
        "position": source.position,
        "label": source.label or None,
        "friendly_name": artifact.friendly_name or None,
        "bag_attributes": list(attributes),
        "problem": artifact.problem or None,
        "note": artifact.note or None,
    }
    label = f", labeled {source.label}" if source.label else ""
    sheet.add("encoding", "encoding", lambda: rendering(source.encoding.value + label, source.encoding.value))
    if artifact.friendly_name:
        sheet.show("friendly_name", "friendly name", artifact.friendly_name)
    sheet.show("bag_attributes", "attributes", *attributes)
    if artifact.note:
        sheet.show("note", "note", artifact.note)


def _add_others(sheet: DescriptionBuilder, artifact: Artifact) -> bool:
    """Add a public key, or the size of another known artifact; return whether it could be decoded."""
    if artifact.kind is Kind.PUBLIC_KEY:
        add_public_key(sheet, artifact.der)
        return not sheet.malformed
    sheet.show("contents", "contents", f"{len(artifact.der):,} bytes (not shown)")
    return True


def _add_problem(sheet: DescriptionBuilder, artifact: Artifact) -> bool:
    """Add the problem of the artifact as a whole; return True if only a passphrase is missing."""
    missing = passphrase_is_missing(artifact.problem)
    if missing and not artifact.key:
        sheet.show("problem", "contents", HOW_TO_OPEN)
    elif artifact.problem and not missing:
        sheet.show("problem", "not read", artifact.problem, alarm=True)
    return missing or not artifact.problem


def _bag_attributes(before: bytes) -> Iterator[str]:
    """Yield the lines between openssl's ``Bag Attributes`` and the block, without subject and issuer."""
    lines = before.rpartition(_BAG_ATTRIBUTES)
    if not lines[1]:
        return
    for line in lines[2].splitlines()[: _MOST_ATTRIBUTES + 1]:
        if line[:1] in (b" ", b"\t") and line.strip():
            yield line.strip().decode("utf-8", "replace")
