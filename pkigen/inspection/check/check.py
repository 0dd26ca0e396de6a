"""One presented certificate held against requirement sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pkigen.inspection.artifacts import Artifact
from pkigen.requirements import (
    CheckInput,
    Finding,
    Level,
    RequirementSet,
    findings,
)
from pkigen.requirements.demands.path import RevocationDemand
from pkigen.requirements.evaluate import Verdict, verdict


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How to check: the instant, passphrases to try, whether networks may be asked, by which proxy.

    ``validation`` is the appliance's own setting. ``trust`` and ``crls`` are further files.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    online: bool = False
    proxy: str | None = None
    validation: bool = True
    trust: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found about one certificate.

    ``unread`` are artefacts that could not be read. ``expected`` are the ids that a case was made to
    break, by set; None for what is not a case. One that its profile has ``revoked`` is spared the demand
    not to be.
    """

    name: str
    presented: CheckInput
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    unread: tuple[Artifact, ...] = ()
    expected: dict[str, frozenset[str]] | None = None
    revoked: bool = False

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The demands that do not hold."""
        return tuple(found for found in self.findings if found.failed)

    @property
    def as_expected(self) -> bool:
        """Nothing broken but advice; of a case, exactly what it was made to break."""
        if self.expected is None:
            return not any(map(self.counts, self.broken)) and not self.unread
        return all(self.surprises(one) == (frozenset(), frozenset()) for one in self.expected)

    def counts(self, found: Finding) -> bool:
        """Whether a broken demand is one to be put right."""
        if found.requirement.level is Level.ADVICE:
            return False
        demand = found.requirement.demand
        return not (self.revoked and isinstance(demand, RevocationDemand) and demand.not_revoked)

    def surprises(self, against: str) -> tuple[frozenset[str], frozenset[str]]:
        """The ids of one set that a case should break and does not, and the reverse."""
        wanted = (self.expected or {}).get(against, frozenset())
        found = frozenset(f.requirement.id for f in self.broken if f.set.name == against)
        return wanted - found, found - wanted


def check(
    name: str,
    shown: CheckInput,
    sets: Sequence[RequirementSet],
    unread: Sequence[Artifact] = (),
    expected: dict[str, frozenset[str]] | None = None,
    *,
    revoked: bool = False,
) -> CheckResult:
    """Hold what was presented against each set; requests and keys alone get no verdict of an upload."""
    found, verdicts = list[Finding](), list[Verdict]()
    is_upload = shown.certificate is not None and not shown.requested
    for one in sets:
        mine = tuple(findings(one, shown))
        found += mine
        if is_upload or unread:
            verdicts.append(verdict(one, mine, readable=shown.certificate is not None))
    return CheckResult(name, shown, tuple(found), tuple(verdicts), tuple(unread), expected, revoked)
