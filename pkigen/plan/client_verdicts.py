"""Predicts what TLS clients do with a case of a requirement set, beyond what its violation declares."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, common_name
from pkigen.plan.entities import permits_servers
from pkigen.plan.path_expectations import PathExpectations
from pkigen.plan.placeholder import planned
from pkigen.requirements import CatalogueEntry
from pkigen.x509 import Malformed

_HOST_NAMES = (0x82, 0x87)
"""Tags of dNSName and iPAddress."""
_NO_CA = "is not a CA"

ClientVerdict = tuple[str | None, Literal["accept", "reject", "varies"]]
"""The stage at which clients reject the certificate, None if all accept it; and the expected verdict."""


class ClientVerdicts:
    """Verdicts on the cases that are derived from one certificate."""

    def __init__(self, base: Case) -> None:
        self._base = base
        self._expectations = PathExpectations(base.authorities, base.clock)

    def verdict(self, case: Case, entry: CatalogueEntry, level: int | None) -> ClientVerdict:
        """Return the verdict on a case; ``level`` is that of the CA that violates the set, if one does."""
        # Without a CA between the certificate and the trust anchor, validators need no chain file.
        needs_no_chain = entry.violation.file == "chain" and len(self._base.authorities) < 2
        if needs_no_chain and entry.stage == "path":
            return None, "accept"
        stage: str | None = entry.stage
        expected = entry.expected
        if stage is None and not entry.violation.file and self._is_valid:
            stage, expected = self._from_certificates(case)
        if stage is not None and _concerns_trust_anchor(case, entry, level):
            expected = "varies"
        return stage, expected

    @cached_property
    def _is_valid(self) -> bool:
        return bool(self._base.authorities) and self._expectations.defect(self._base.entity) is None

    def _from_certificates(self, case: Case) -> ClientVerdict:
        if case.entity.server and self._base.entity.server:
            usages = [one.value for one in case.plan.extensions if one.oid == oids.EXTENDED_KEY_USAGE]
            if any(isinstance(usage, bytes) and not permits_servers(usage) for usage in usages):
                return "path", "reject"
            if not self._matches_host(case):
                has_common_name = common_name(case.plan.subject) in case.entity.hosts
                return "name", "varies" if has_common_name else "reject"
        expectations = self._expectations
        if case.copies:
            expectations = PathExpectations(case.authorities, case.clock)
        defect = expectations.defect(replace(case.entity, fault=None))
        if defect is None:
            return None, "accept"
        # Other problems than these are in values that not every validator reads.
        is_certain = defect.stage == "revocation" or _NO_CA in defect.reason
        return defect.stage, "reject" if is_certain else "varies"

    def _matches_host(self, case: Case) -> bool:
        """Return whether the certificate is for its host, if that of the base is."""
        from pkigen.inspection.path.host_names import host_mismatch

        def matches(one: Case) -> bool:
            try:
                host = next(iter(one.entity.hosts), None)
                certificate = planned(one.entity, one.authorities)
                names = certificate.extensions.raw(oids.SUBJECT_ALTERNATIVE_NAME)
                # Some clients do not use the common name.
                has_names = (
                    any(one[0] in _HOST_NAMES for one in der.children(names.value)) if names else False
                )
                return host is None or (has_names and not host_mismatch(certificate, host))
            except (Malformed, ValueError, IndexError):
                return False

        return matches(case) or not matches(self._base)


def _concerns_trust_anchor(case: Case, entry: CatalogueEntry, level: int | None) -> bool:
    """Return whether the trust anchor violates the requirement.

    Trust anchors are names and keys (RFC 5280, 6.1.1 (d)): validators differ on the rest of the certificate.
    """
    is_of_issuer = entry.requirement.of == "issuing-authority"
    at = (level or 0) + is_of_issuer if level is not None else 0 if is_of_issuer else None
    return at is not None and at == len(case.authorities) - 1
