"""Several faults in one case: in which order they are made, and which exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pkigen.faults.asking import AskedFault
from pkigen.faults.case import Case, Impossible
from pkigen.model import CertificatePlan, CrlPlan, Edit, Entity


def composed(case: Case, asked: tuple[AskedFault, ...]) -> Case:
    """A case with faults in it; Impossible when one would undo or hide another.

    Two faults go together when it does not matter which of them comes first, and when neither edits
    the octets that the other does. Edits are made from the end of a structure to its beginning, so
    that what one of them leaves out or puts in does not move the place of the next.
    """
    if len(asked) == 1:
        return asked[0].apply(case)
    for number, one in enumerate(asked):
        for other in asked[:number]:
            if one.type.id == other.type.id:
                raise Impossible(f"'{one.type.id}' is asked for twice")
            _check_pair(case, other, one)
    for one in asked:
        case = one.apply(case)
    return _ordered(case)


def _check_pair(case: Case, one: AskedFault, other: AskedFault) -> None:
    words = f"'{one.type.id}' and '{other.type.id}' change the same thing; ask for one of them"
    first, second = one.apply(case), other.apply(case)
    if _ordered(other.apply(first)) != _ordered(one.apply(second)):
        raise Impossible(words)
    if any(_overlap(edit, found) for edit in _edits(first) for found in _edits(second)):
        raise Impossible(words)


def _edits(case: Case) -> Iterator[tuple[str, Edit]]:
    """Every edit, with what it changes: the certificate of an entity, or its CRL."""
    for entity in (case.entity, *case.authorities):
        for plan in entity.certificates:
            yield from ((entity.id, edit) for edit in plan.edits)
        if entity.crl is not None:
            yield from ((f"CRL of {entity.id}", edit) for edit in entity.crl.edits)


def _overlap(one: tuple[str, Edit], other: tuple[str, Edit]) -> bool:
    """Whether one of two edits is made within what the other changes."""
    shorter, longer = sorted((one[1].path, other[1].path), key=len)
    return one[0] == other[0] and longer[: len(shorter)] == shorter


def _ordered(case: Case) -> Case:
    """A case without what only tells which of its faults came first."""
    authorities = tuple(map(_in_order, case.authorities))
    copies = tuple(sorted(case.copies))
    return replace(case, entity=_in_order(case.entity), authorities=authorities, copies=copies)


def _in_order(entity: Entity) -> Entity:
    output = entity.output
    alterations = tuple(sorted(output.alterations, key=lambda alteration: alteration.file))
    return replace(
        entity,
        certificates=tuple(map(_plan_in_order, entity.certificates)),
        output=replace(output, alterations=alterations),
        crl=entity.crl and _crl_in_order(entity.crl),
        serving=tuple(sorted(entity.serving, key=lambda serving: serving.url)),
    )


def _crl_in_order(crl: CrlPlan) -> CrlPlan:
    return replace(
        crl,
        edits=_from_end(crl.edits),
        entries=tuple(sorted(crl.entries, key=lambda one: one.serial)),
        extensions=tuple(sorted(crl.extensions, key=lambda one: one.oid)),
    )


def _from_end(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: edit.path, reverse=True))


def _plan_in_order(plan: CertificatePlan) -> CertificatePlan:
    extensions = tuple(sorted(plan.extensions, key=lambda one: one.oid))
    return replace(plan, edits=_from_end(plan.edits), extensions=extensions)
