"""Checks one certificate, CRL, key or request against requirement sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pkigen.inspection.artifacts import Artifact
from pkigen.inspection.path.downloader import Downloader
from pkigen.requirements import (
    CheckInput,
    Finding,
    Level,
    RequirementSet,
    Status,
    findings,
    switched,
)
from pkigen.requirements.demands.path import RevocationDemand
from pkigen.requirements.evaluate import Verdict, verdict


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How to check: the time, passphrases to try, and whether to download CRLs, possibly by a proxy.

    ``switches`` are settings of the appliance that differ from those of the sets. ``trust`` and ``crls`` are
    additional files.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    online: bool = False
    proxy: str | None = None
    switches: Mapping[str, bool] = field(default_factory=dict)
    trust: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()

    def switched(self, sets: Iterable[RequirementSet]) -> tuple[RequirementSet, ...]:
        """Return sets with the switches that they have; InputError for a switch that none of them has."""
        return switched(sets, self.switches)

    def download(self) -> Callable[[str], bytes] | None:
        """Return a function that downloads URLs within the budget of one run; None without ``online``."""
        return Downloader(self.proxy).get if self.online else None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The findings for one certificate, CRL, key or request.

    ``unread`` are inputs that cannot be used. ``expected`` are the ids that a case is designed to violate,
    by set; None if it is not a case. A certificate whose revocation is ``revoked`` as recorded may violate
    the requirement that it is not.
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
        """The violated requirements."""
        return tuple(finding for finding in self.findings if finding.failed)

    @property
    def as_expected(self) -> bool:
        """Whether only advice is violated; for a case, exactly the requirements that it is to violate."""
        if self.expected is None:
            return not any(map(self.counts, self.broken)) and not self.unread and not self.inapplicable
        return all(self.surprises(name) == (frozenset(), frozenset()) for name in self.expected)

    @property
    def inapplicable(self) -> tuple[str, ...]:
        """The sets without a requirement that applies to a CA certificate, CRL or key on its own."""
        if self.presented.certificate is not None and not self.presented.authority:
            return ()
        names = dict.fromkeys(finding.set.name for finding in self.findings)
        applicable = {f.set.name for f in self.findings if f.outcome.status is not Status.NOT_APPLICABLE}
        return tuple(name for name in names if name not in applicable)

    def counts(self, finding: Finding) -> bool:
        """Return whether a violation is to be corrected."""
        return finding.requirement.level is not Level.ADVICE and not self.excuses(finding)

    def excuses(self, finding: Finding) -> bool:
        """Return whether a violation is the recorded revocation."""
        demands = finding.requirement.demands
        return self.revoked and all(isinstance(one, RevocationDemand) and one.not_revoked for one in demands)

    def surprises(self, against: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of one set that a case should violate and does not, and the reverse.

        A requirement that the files do not suffice to check is neither.
        """
        expected = (self.expected or {}).get(against, frozenset())
        of_set = [finding for finding in self.findings if finding.set.name == against]
        violated = frozenset(finding.requirement.id for finding in of_set if finding.failed)
        undecided = frozenset(finding.requirement.id for finding in of_set if finding.outcome.undecided)
        return expected - violated - undecided, violated - expected


def check(
    name: str,
    presented: CheckInput,
    sets: Sequence[RequirementSet],
    unread: Sequence[Artifact] = (),
    expected: dict[str, frozenset[str]] | None = None,
    *,
    revoked: bool = False,
) -> CheckResult:
    """Check an input against each set.

    CA certificates, CRLs, keys and requests alone are no upload and have no verdict, unless an input cannot
    be used.
    """
    results, verdicts = list[Finding](), list[Verdict]()
    certificate = presented.certificate
    is_upload = certificate is not None and not presented.requested and not presented.authority
    for one in sets:
        of_set = tuple(findings(one, presented))
        results += of_set
        if is_upload or unread:
            verdicts.append(verdict(one, of_set, readable=certificate is not None and not unread))
    return CheckResult(name, presented, tuple(results), tuple(verdicts), tuple(unread), expected, revoked)
