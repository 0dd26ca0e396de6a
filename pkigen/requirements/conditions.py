"""Conditions that consist of several demands: ``any``, and ``if`` with ``then``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pkigen.cases.case import Case
from pkigen.documents.fields import unknown
from pkigen.requirements.demand import Demand, Violation
from pkigen.requirements.outcome import Outcome, Status, failed, not_applicable, undecided
from pkigen.requirements.subject import CheckInput


def single_demand(value: Any) -> Any:
    """Return the demand in a mapping with its kind as the only key; ValueError for other values."""
    if value is None or isinstance(value, Demand):
        return value
    from pkigen.requirements.demands import KINDS  # the modules of all kinds: most builds check no set

    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"a demand is a mapping with one key: {', '.join(KINDS)}")
    ((kind, parameters),) = value.items()
    if kind not in KINDS:
        raise ValueError(unknown("kind of demand", kind, tuple(KINDS)))
    return KINDS[kind].model_validate(parameters if parameters != "" else {})


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several demands holds."""

    alternatives: tuple[Demand, ...]

    def check(self, subject: CheckInput) -> Outcome:
        """Fail if every alternative fails; alternatives that do not apply leave the outcome open."""
        outcomes = [one.check(subject) for one in self.alternatives]
        if holding := [one for one in outcomes if one.status is Status.PASS]:
            return holding[0]
        if open_ := [one for one in outcomes if one.status is Status.NOT_APPLICABLE]:
            unclear = [one.reason for one in open_ if one.undecided]
            return undecided(unclear[0]) if unclear else not_applicable(open_[0].reason)
        actual = dict.fromkeys(one.actual or one.reason for one in outcomes)
        expected = dict.fromkeys(one.expected for one in outcomes if one.expected)
        return failed("; ".join(actual), " or ".join(expected), blame=outcomes[0].blame)

    def violations(self) -> Iterator[Violation]:
        """Yield the first violations of all alternatives together; then each other one, with those."""
        every = [tuple(one.violations()) for one in self.alternatives]
        kinds = [one.kind.replace("_", "-") for one in self.alternatives]
        if not all(every):
            return
        first = [violations[0] for violations in every]
        yield _combined("none", first)
        for number, violations in enumerate(every):
            others = [*first[:number], *first[number + 1 :]]
            repetition = kinds[:number].count(kinds[number])
            label = f"{kinds[number]}-{repetition + 1}" if repetition else kinds[number]
            for violation in violations[1:]:
                yield _combined(f"{label}-{violation.variant}", (*others, violation))


def _combined(variant: str, violations: Sequence[Violation]) -> Violation:
    def apply(case: Case) -> Case:
        for one in violations:
            case = one.apply(case)
        return case

    rejected = [one for one in violations if one.stage]
    files = {one.file for one in violations}
    return Violation(
        variant,
        " ".join(dict.fromkeys(one.says for one in violations)),
        apply,
        rejected[0].stage if rejected else None,
        varies=bool(rejected) and all(one.varies for one in rejected),
        file=files.pop() if len(files) == 1 else "",
        sent=any(one.sent for one in violations),
    )


@dataclass(frozen=True, slots=True)
class Conditional:
    """A demand that applies only if another one holds."""

    condition: Demand
    consequence: Demand

    def check(self, subject: CheckInput) -> Outcome:
        """Check the consequence if the condition holds."""
        outcome = self.condition.check(subject)
        if outcome.status is Status.PASS:
            return self.consequence.check(subject)
        if outcome.undecided:
            return undecided(outcome.reason)
        return not_applicable(f"its condition does not hold: {outcome.reason or outcome.actual}")

    def violations(self) -> Iterator[Violation]:
        """Yield the violations of the consequence; they apply to certificates that meet the condition."""
        return self.consequence.violations()
