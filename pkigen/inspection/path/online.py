"""Validation with the CRLs that the certificates of a path themselves say where to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pkigen.inspection.path.crl_retrieval import Fetched, below_anchor
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, CertificateList


def validate_online(
    leaf: Certificate,
    known: Sequence[Certificate],
    anchors: Sequence[Certificate],
    fetched: Fetched,
    *,
    at: datetime,
    crls: Sequence[CertificateList] = (),
    host: str | None = None,
    purpose: Purpose = "any",
    partial: bool = False,
) -> PathResult:
    """As ``validate`` with CRLs checked; those of ``crls`` count beside the ones that are fetched.

    A certificate without a CRL gets one problem, with what its URL answered.
    """
    way = validate(leaf, known, anchors, at=at, partial=partial).path
    problems = fetched.look(below_anchor(way, anchors if partial else ())) if way else []
    result = validate(
        leaf,
        known,
        anchors,
        at=at,
        crls=(*crls, *fetched.crls),
        check_crls=True,
        host=host,
        purpose=purpose,
        partial=partial,
    )
    reached = {problem.depth for problem in problems}
    others = [p for p in result.problems if p.rule != "crl-missing" or p.depth not in reached]
    return replace(result, problems=(*problems, *others))
