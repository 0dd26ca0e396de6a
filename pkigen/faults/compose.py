"""Combines several faults in one case: order and conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.description import changes
from pkigen.faults.request import FaultRequest
from pkigen.model import CertificatePlan, CrlForm, CrlPlan, Edit, Entity, OcspForm

_NO_CRL = (CrlForm.EMPTY, CrlForm.CERTIFICATE, CrlForm.NONE)
_SUCCESSFUL = 0
# Not a fault of its own: every fault of the handshake permits it.
_PERMISSION = "unoffered-scheme"


def composed(case: Case, faults: tuple[FaultRequest, ...]) -> Case:
    """Return a case with several faults; Impossible if one would undo or hide another.

    Two faults can be combined if their order does not matter, if they do not edit the same bytes, and if
    each remains visible. Edits are applied from the end of a structure to its start, so that they do not move
    each other's positions.
    """
    if len(faults) == 1:
        return faults[0].apply(case)
    for number, one in enumerate(faults):
        for other in faults[:number]:
            if one.type.id == other.type.id:
                raise Impossible(f"'{one.type.id}' is requested twice")
            _check_pair(case, other, one)
    for one in faults:
        case = one.apply(case)
    return _ordered(case)


def _check_pair(case: Case, one: FaultRequest, other: FaultRequest) -> None:
    first, second = one.apply(case), other.apply(case)
    both, turned = other.apply(first), one.apply(second)
    overlap = any(_overlap(edit, other_edit) for edit in _edits(first) for other_edit in _edits(second))
    if overlap or _ordered(both) != _ordered(turned):
        what = _difference(case, both, turned) or _difference(case, case, first)
        words = f"'{one.type.id}' and '{other.type.id}' change the same part"
        raise Impossible(f"{words}{what and f' ({what})'}; use only one of them")
    pairs = ((one, first, other, second), (other, second, one, first))
    for hiding, made, hidden, unseen in pairs:
        if _ordered(both) == _ordered(made) or _hides(made, unseen, case):
            words = f"'{hiding.type.id}' hides '{hidden.type.id}'"
            raise Impossible(f"{words}; use only one of them")


def _difference(base: Case, one: Case, other: Case) -> str:
    """Describe the first change that only the second case has; empty if there is none."""
    known = changes(base, one)
    return next((words for words in changes(base, other) if words not in known), "")


def _hides(made: Case, other: Case, sound: Case) -> bool:
    """Whether a fault removes the CRL or OCSP response that has the other fault."""
    crl, original = _crl(made), _crl(sound)
    if crl is not None and crl.form in _NO_CRL and _crl(other) != original:
        return True
    answer = made.entity.ocsp
    gone = answer is not None and (answer.form is not OcspForm.SOUND or answer.status != _SUCCESSFUL)
    return gone and other.entity.ocsp is not None


def _crl(case: Case) -> CrlPlan | None:
    """Return the CRL plan of the issuing CA without its URLs."""
    crl = case.authorities[0].crl if case.authorities else None
    return crl and replace(crl, url="")


def _edits(case: Case) -> Iterator[tuple[str, Edit]]:
    """Return every edit with the structure that it changes: a certificate or a CRL."""
    for entity in (case.entity, *case.authorities):
        for plan in entity.certificates:
            yield from ((entity.id, edit) for edit in plan.edits)
        if entity.crl is not None:
            yield from ((f"CRL of {entity.id}", edit) for edit in entity.crl.edits)


def _overlap(one: tuple[str, Edit], other: tuple[str, Edit]) -> bool:
    """Whether one of two edits is inside the element that the other changes."""
    shorter, longer = sorted((one[1].path, other[1].path), key=len)
    return one[0] == other[0] and longer[: len(shorter)] == shorter


def _ordered(case: Case) -> Case:
    """Normalize a case, so that the order of its faults does not matter."""
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
        serving=tuple(sorted(entity.serving, key=lambda serving: (serving.url, serving.how == _PERMISSION))),
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
