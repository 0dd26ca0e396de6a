"""The criticality of an extension: its check in words, and its violation."""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.requirements.demand import Violation
from pkigen.x509 import Extensions


def is_critical(extensions: Extensions, oid: str) -> bool:
    """Return whether an extension exists and is critical."""
    extension = extensions.raw(oid)
    return extension is not None and extension.critical


def in_words(critical: bool) -> str:
    """Return a criticality in words."""
    return "critical" if critical else "not critical"


def other_criticality(oid: str, title: str, expected: bool) -> Violation:
    """Return the violation of an expected criticality."""

    def apply(case: Case) -> Case:
        extension = case.extension(oid)
        if extension is None:
            raise Impossible(f"the certificate has no {title}")
        return case.with_extension(replace(extension, critical=not expected))

    return Violation(
        in_words(not expected).replace(" ", "-"), f"The {title} is {in_words(not expected)}.", apply
    )
