"""Annotates the fields of certificates with the requirements that they violate (``show --against``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pkigen.inspection.artifacts import Artifact
from pkigen.requirements import (
    CheckInput,
    Finding,
    RequirementSet,
    findings,
)


def annotate(
    artifacts: Sequence[Artifact], sets: Sequence[RequirementSet], now: datetime
) -> list[dict[str, tuple[str, ...]]]:
    """Return, for each artifact, the violations by field; nothing unless it is an end-entity certificate.

    A key is the id of a field or the OID of an extension; "" is the certificate as a whole.
    """
    return [_annotations(artifact, sets, now) for artifact in artifacts]


def _annotations(
    artifact: Artifact, sets: Sequence[RequirementSet], now: datetime
) -> dict[str, tuple[str, ...]]:
    certificate = artifact.certificate
    if certificate is None or certificate.is_authority:
        return {}
    subject = CheckInput(now=now, certificate=certificate, certificate_source=artifact.source)
    annotations = dict[str, tuple[str, ...]]()
    for requirement_set in sets:
        for finding in findings(requirement_set, subject):
            if finding.failed:
                field = finding.requirement.field or ""
                annotations[field] = (*annotations.get(field, ()), _sentence(finding))
    return annotations


def _sentence(finding: Finding) -> str:
    requirement, outcome = finding.requirement, finding.outcome
    reason = outcome.reason or f"found {outcome.actual}"
    return f"{finding.set.name}: {requirement.says} ({requirement.level}; {reason})"
