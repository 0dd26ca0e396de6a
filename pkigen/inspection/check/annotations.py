"""What requirement sets say of artefacts one by one, by the field that each remark belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pkigen.asn1 import oids
from pkigen.inspection.artifacts import Artifact
from pkigen.requirements import (
    CheckInput,
    Finding,
    RequirementSet,
    findings,
)

_FIELDS = {
    "signature_algorithm": "signature_algorithm",
    "digest": "signature_algorithm",
    "algorithms_agree": "signature_algorithm",
    "public_key": "public_key",
    "validity": "validity",
    "subject_attribute": "subject",
    "names": "subject",
    "san": oids.SUBJECT_ALTERNATIVE_NAME,
    "crl_distribution_point": oids.CRL_DISTRIBUTION_POINTS,
    "aia": oids.AUTHORITY_INFORMATION_ACCESS,
    "key_usage": oids.KEY_USAGE,
    "extended_key_usage": oids.EXTENDED_KEY_USAGE,
    "basic_constraints": oids.BASIC_CONSTRAINTS,
    "version": "version",
    "serial": "serial",
}
"""Kind of demand -> the id of the field that it is about, an extension's OID for extensions."""


def annotate(
    artefacts: Sequence[Artifact], sets: Sequence[RequirementSet], now: datetime
) -> list[dict[str, tuple[str, ...]]]:
    """For each artefact the sentences about its fields; none for what is no end entity's certificate."""
    return [_remarks(artefact, sets, now) for artefact in artefacts]


def _remarks(artefact: Artifact, sets: Sequence[RequirementSet], now: datetime) -> dict[str, tuple[str, ...]]:
    certificate = artefact.certificate
    if certificate is None or certificate.is_authority:
        return {}
    shown = CheckInput(now=now, certificate=certificate, certificate_source=artefact.source)
    found = dict[str, tuple[str, ...]]()
    for one in sets:
        for finding in findings(one, shown):
            if finding.failed:
                field = _FIELDS.get(finding.requirement.kind, "")
                found[field] = (*found.get(field, ()), _sentence(finding))
    return found


def _sentence(finding: Finding) -> str:
    requirement, outcome = finding.requirement, finding.outcome
    found = outcome.reason or f"found {outcome.found}"
    return f"{finding.set.name}: {requirement.says} ({requirement.level}; {found})"
