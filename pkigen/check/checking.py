"""One presented certificate held against requirement sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pkigen.artefacts import Artefact
from pkigen.check.verdict import Verdict, verdict
from pkigen.requirements import Finding, Level, Presented, RequirementSet, findings


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
class Checked:
    """What was found about one certificate.

    ``unread`` are artefacts that could not be read. ``expected`` are the ids that a case was made to
    break, by set; None for what is not a case. ``base`` is the profile's certificate of a case.
    """

    name: str
    presented: Presented
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    unread: tuple[Artefact, ...] = ()
    expected: dict[str, frozenset[str]] | None = None

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The demands that do not hold."""
        return tuple(found for found in self.findings if found.failed)

    @property
    def as_expected(self) -> bool:
        """Nothing broken but advice; of a case, exactly what it was made to break."""
        if self.expected is None:
            serious = [f for f in self.broken if f.requirement.level is not Level.ADVICE]
            return not serious and not self.unread
        return all(self.surprises(one) == (frozenset(), frozenset()) for one in self.expected)

    def surprises(self, against: str) -> tuple[frozenset[str], frozenset[str]]:
        """The ids of one set that a case should break and does not, and the reverse."""
        wanted = (self.expected or {}).get(against, frozenset())
        found = frozenset(f.requirement.id for f in self.broken if f.set.name == against)
        return wanted - found, found - wanted


def check(
    name: str,
    shown: Presented,
    sets: Sequence[RequirementSet],
    unread: Sequence[Artefact] = (),
    expected: dict[str, frozenset[str]] | None = None,
) -> Checked:
    """Hold what was presented against each set."""
    found, verdicts = list[Finding](), list[Verdict]()
    for one in sets:
        mine = tuple(findings(one, shown))
        found += mine
        verdicts.append(verdict(one, mine, readable=shown.certificate is not None))
    return Checked(name, shown, tuple(found), tuple(verdicts), tuple(unread), expected)
