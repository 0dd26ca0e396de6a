"""Decodes the policy extensions (RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.x509.decode import Malformed, decoder, elements, integer


@dataclass(frozen=True, slots=True)
class PolicyConstraints:
    """4.2.1.11: numbers of certificates after which a constraint applies; None if absent."""

    require_explicit_policy: int | None
    inhibit_policy_mapping: int | None


@lru_cache(maxsize=64)
@decoder("the certificate policies extension")
def certificate_policies(data: bytes) -> tuple[str, ...]:
    """Return the OIDs of CertificatePolicies, in order."""
    policies = elements(data, "the certificate policies extension")
    return tuple(der.dotted(elements(policy, "a policy information")[0]) for policy in policies)


@lru_cache(maxsize=64)
@decoder("the policy mappings extension")
def policy_mappings(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the pairs (issuerDomainPolicy, subjectDomainPolicy) of PolicyMappings."""
    mappings = []
    for mapping in elements(data, "the policy mappings extension"):
        issuer_policy, subject_policy = elements(mapping, "a policy mapping")
        mappings.append((der.dotted(issuer_policy), der.dotted(subject_policy)))
    return tuple(mappings)


@decoder("the policy constraints extension")
def policy_constraints(data: bytes) -> PolicyConstraints:
    """Return PolicyConstraints; Malformed if a number of certificates is negative."""
    numbers: dict[int, int] = {}
    for element in elements(data, "the policy constraints extension"):
        count = integer(der.tlv(der.INTEGER, der.contents(element)), "a number of certificates")
        if count < 0:
            raise Malformed("the policy constraints extension has a negative number of certificates")
        numbers[element[0]] = count
    return PolicyConstraints(numbers.get(0x80), numbers.get(0x81))


@decoder("the inhibit anyPolicy extension")
def inhibit_any_policy(data: bytes) -> int:
    """Return the number of certificates after which anyPolicy no longer matches."""
    return integer(data, "the inhibit anyPolicy extension")
