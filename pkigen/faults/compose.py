"""Several faults in one case: in which order they are made, and which exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.description import changes
from pkigen.faults.request import FaultRequest
from pkigen.model import CertificatePlan, CrlForm, CrlPlan, Edit, Entity, OcspForm

_NO_CRL = (CrlForm.EMPTY, CrlForm.CERTIFICATE, CrlForm.NONE)
_SUCCESSFUL = 0


def composed(case: Case, asked: tuple[FaultRequest, ...]) -> Case:
    """A case with faults in it; Impossible when one would undo or hide another.

    Two faults go together when it does not matter which of them comes first, when neither edits the
    octets that the other does, and when each is still to be seen. Edits are made from the end of a
    structure to its beginning, so that what one of them leaves out or puts in does not move the place of
    the next.
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


def _check_pair(case: Case, one: FaultRequest, other: FaultRequest) -> None:
    first, second = one.apply(case), other.apply(case)
    both, turned = other.apply(first), one.apply(second)
    overlap = any(_overlap(edit, found) for edit in _edits(first) for found in _edits(second))
    if overlap or _ordered(both) != _ordered(turned):
        what = _told_apart(case, both, turned) or _told_apart(case, case, first)
        words = f"'{one.type.id}' and '{other.type.id}' change the same thing"
        raise Impossible(f"{words}{what and f' ({what})'}; ask for one of them")
    pairs = ((one, first, other, second), (other, second, one, first))
    for hiding, made, hidden, unseen in pairs:
        if _ordered(both) == _ordered(made) or _hides(made, unseen, case):
            words = f"nothing is seen of '{hidden.type.id}' beside '{hiding.type.id}'"
            raise Impossible(f"{words}; ask for one of them")


def _told_apart(base: Case, one: Case, other: Case) -> str:
    """The first change, in words, that only the latter of two cases has; empty when they are told alike."""
    told = changes(base, one)
    return next((words for words in changes(base, other) if words not in told), "")


def _hides(made: Case, other: Case, sound: Case) -> bool:
    """Whether a fault leaves no CRL, or no OCSP answer, for the other one to be seen in."""
    crl, held = _crl(made), _crl(sound)
    if crl is not None and crl.form in _NO_CRL and _crl(other) != held:
        return True
    answer = made.entity.ocsp
    gone = answer is not None and (answer.form is not OcspForm.SOUND or answer.status != _SUCCESSFUL)
    return gone and other.entity.ocsp is not None


def _crl(case: Case) -> CrlPlan | None:
    """The CRL of the issuing CA, wherever it is published."""
    crl = case.authorities[0].crl if case.authorities else None
    return crl and replace(crl, url="")


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
