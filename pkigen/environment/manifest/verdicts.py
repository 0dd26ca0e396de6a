"""Expected verdicts of cases: of path validation, and of an appliance at upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.cases.case import common_name
from pkigen.environment.presented_cases import CasePresenter
from pkigen.inspection.artifacts import read_path
from pkigen.plan import Plan
from pkigen.requirements import RequirementSet, findings
from pkigen.requirements.crl_lookup import Looker
from pkigen.requirements.evaluate import verdict

ORPHAN = "its issuer was issued anew, and it was not"


def verdict_without_fault(
    *,
    self_signed: bool,
    orphan: bool,
    times: tuple[datetime, datetime],
    now: datetime,
    revoked: Mapping[str, str] | None,
    fallen: str | None,
) -> dict[str, Any]:
    """The manifest's verdict: of a strict validator, at ``now``, who looks at revocation.

    ``times`` are not_before and not_after; ``fallen`` names the authority of its path that is revoked.
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
    if revoked is not None:
        return _reject("revocation", f"its CRL lists it: {revoked['reason']}")
    if fallen is not None:
        return _reject("revocation", f"the authority {fallen}, above it, is revoked")
    return {"expected": "accept", "stage": None, "reason": None}


def _reject(stage: str, reason: str) -> dict[str, Any]:
    return {"expected": "reject", "stage": stage, "reason": reason}


class UploadVerdicts:
    """Holds cases against the requirement sets of a plan, with the environment on disk around them.

    ``published`` are the octets at the URLs of its CRLs.
    """

    def __init__(self, plan: Plan, folder: Path, trust: Path, published: Mapping[str, bytes]) -> None:
        self._sets = plan.sets
        looker = Looker((), published, plan.base_url)
        anchors = tuple(found.certificate for found in read_path(trust) if found.certificate is not None)
        self._presenter = CasePresenter(folder, plan.clock, anchors, looker.look, taken=_taken(plan))

    def verdicts(self, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        """For each set: accepted or not, with its messages, and which requirements do not hold."""
        shown, unread = self._presenter.present(data, None)
        return [self._verdict(one, shown, readable=not unread) for one in self._sets]

    def _verdict(self, one: RequirementSet, shown: Any, *, readable: bool) -> dict[str, Any]:
        found = tuple(findings(one, shown))
        said = verdict(one, found, readable=readable)
        return {
            "set": one.name,
            "accepted": said.accepted,
            "messages": list(said.messages),
            "undecided": list(said.undecided),
            "violates": [each.requirement.id for each in found if each.failed],
        }


def _taken(plan: Plan) -> Counter[str]:
    """The common names of the certificates without a fault, in small letters."""
    sound = (entity for entity in plan.certificates() if entity.fault is None)
    names = (common_name(entity.certificates[0].subject) for entity in sound)
    return Counter(name.lower() for name in names if name)
