"""Expected verdicts of cases: of path validation, and of an appliance at upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.cases.case import common_name
from pkigen.environment.manifest.schema import Upload, Verdict
from pkigen.plan import Plan
from pkigen.plan.path_expectations import PathDefect

if TYPE_CHECKING:
    from pkigen.requirements import CheckInput, RequirementSet

ORPHAN = "its issuer was reissued, and the certificate was not"
_ACCEPT = Verdict.model_construct(expected="accept", stage=None, reason=None)


def verdict_without_fault(
    *,
    self_signed: bool,
    orphan: bool,
    times: tuple[datetime, datetime],
    now: datetime,
    defect: PathDefect | None,
    revocation_reason: str | None,
    revoked_ancestor: str | None,
    rejecting_test: str | None = None,
) -> Verdict:
    """Return the expected verdict for a certificate without a fault, of a validator that checks revocation.

    ``times`` are not_before and not_after, ``defect`` is that of its path. ``revoked_ancestor`` is the name
    of a revoked authority in the certificate's path, ``rejecting_test`` the id of a path test that requires a
    rejection without any settings.
    """
    not_before, not_after = times
    if self_signed:
        return _reject("path", "it is self-signed and not a trust anchor")
    if orphan:
        return _reject("path", ORPHAN)
    if not_after < now:
        return _reject("path", "it has expired")
    if not_before > now:
        return _reject("path", "it is not valid yet")
    if defect is not None:
        return _reject(*defect)
    verdict = verdict_of_revocation(revocation_reason, revoked_ancestor)
    if verdict == _ACCEPT and rejecting_test is not None:
        return _reject("path", f"the path test {rejecting_test} requires a rejection")
    return verdict


_LISTED, _REVOKED_ABOVE = "its CRL lists it: ", ", above it, is revoked"


def verdict_of_revocation(reason: str | None, ancestor: str | None) -> Verdict:
    """Return the verdict for a valid path, from the reason of a revocation or a revoked authority above."""
    if reason is not None:
        return _reject("revocation", f"{_LISTED}{reason}")
    if ancestor is not None:
        return _reject("revocation", f"the authority {ancestor}{_REVOKED_ABOVE}")
    return _ACCEPT


def depends_on_revocation(verdict: Verdict) -> bool:
    """Return whether ``verdict_of_revocation`` returned a verdict."""
    reason = verdict.reason or ""
    return verdict == _ACCEPT or reason.startswith(_LISTED) or reason.endswith(_REVOKED_ABOVE)


def _reject(stage: str, reason: str) -> Verdict:
    return Verdict.partial(expected="reject", stage=stage, reason=reason)


class UploadVerdicts:
    """Checks cases against the requirement sets of a plan, with the files of the environment.

    ``published`` maps the URLs of its CRLs to their contents.
    """

    def __init__(self, plan: Plan, folder: Path, trust: Path, published: Mapping[str, bytes]) -> None:
        from pkigen.environment.presented_cases import CasePresenter
        from pkigen.inspection.artifacts import read_path
        from pkigen.requirements.crl_lookup import CrlLookup

        looker = CrlLookup(published, plan.base_url)
        anchors = tuple(one.certificate for one in read_path(trust) if one.certificate is not None)
        self._presenter = CasePresenter(
            folder, plan.clock, anchors, looker.look, taken=_names_without_fault(plan)
        )

    def verdicts(self, files: Mapping[str, str], sets: Sequence[RequirementSet]) -> list[Upload]:
        """Return the result of uploading the files of a case with a fault, for each of some sets.

        ``files`` maps their roles to paths relative to the environment.
        """
        if not sets:
            return []
        subject, unread = self._presenter.present(files, None, faulty=True)
        return [_verdict(one, subject, readable=not unread) for one in sets]


def _verdict(requirements: RequirementSet, subject: CheckInput, *, readable: bool) -> Upload:
    from pkigen.requirements import findings
    from pkigen.requirements.evaluate import verdict

    results = tuple(findings(requirements, subject))
    result = verdict(requirements, results, readable=readable)
    return Upload.model_construct(
        set=requirements.name,
        accepted=result.accepted,
        messages=list(result.messages),
        undecided=list(result.undecided),
        violates=[finding.requirement.id for finding in results if finding.failed],
    )


def _names_without_fault(plan: Plan) -> Counter[str]:
    """Count the common names (lowercase) of the certificates without a fault."""
    subjects = (entity.certificates[0].subject for entity in plan.certificates() if entity.fault is None)
    return Counter(name.lower() for name in map(common_name, subjects) if name)
