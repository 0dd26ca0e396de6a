"""Policy processing of path validation (RFC 5280, 6.1) with the policy graph of RFC 9618.

RFC 9618 replaces the policy tree by a graph with one node per policy and certificate, so that the cost does
not grow exponentially with the length of the path (CVE-2023-0464).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pkigen.asn1.oids import ANY_POLICY
from pkigen.errors import InputError
from pkigen.inspection.path.problems import PathProblem, problem_of_code, problem_of_rule
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.policies import PolicyConstraints

_NO_EXPLICIT_POLICY = 43
"""X509_V_ERR_NO_EXPLICIT_POLICY."""
_INVALID_POLICY_EXTENSION = 42
"""X509_V_ERR_INVALID_POLICY_EXTENSION."""
_POLICY_EXTENSION = re.compile(rb"\x06\x03\x55\x1d[\x20\x21\x24\x36]")
"""The OID of an extension about policies."""
_OID = re.compile(r"(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]{0,20}))(?:\.(?:0|[1-9][0-9]{0,40}))*")


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """Initial values of policy processing (6.1.1 (c), (e), (f), (g)).

    ``policies`` are OIDs, one of which the path must be valid for if an explicit policy is required; empty
    means any-policy.
    """

    policies: frozenset[str] = frozenset()
    require_explicit_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any_policy: bool = False


ANY_POLICIES = PolicyOptions()
"""The defaults of RFC 5280: any-policy, no explicit policy required, nothing inhibited."""


def policy_oids(texts: Sequence[str]) -> frozenset[str]:
    """Return an initial policy set; InputError for a string that is not an OID."""
    for text in texts:
        if not _OID.fullmatch(text):
            raise InputError(f"'{text}' is not an OID; specify a policy such as 2.23.140.1.2.1")
    return frozenset() if ANY_POLICY in texts else frozenset(texts)


@dataclass(slots=True, eq=False)
class _Node:
    """A node of the policy graph; it has the depth of the level that contains it."""

    policy: str
    expected: frozenset[str]
    parents: list[_Node] = field(default_factory=list)


_Level = dict[str, _Node]


@dataclass(slots=True)
class _Counters:
    """explicit_policy, policy_mapping and inhibit_anyPolicy (6.1.2 (d) to (f))."""

    explicit: int
    mapping: int
    any: int

    def prepare(self, certificate: Certificate) -> None:
        """6.1.4 (h) to (j)."""
        if not certificate.is_self_issued:
            self.explicit, self.mapping, self.any = (
                max(0, number - 1) for number in (self.explicit, self.mapping, self.any)
            )
        constraints = certificate.extensions.policy_constraints
        if constraints is not None:
            self.explicit = _smaller(self.explicit, constraints.require_explicit_policy)
            self.mapping = _smaller(self.mapping, constraints.inhibit_policy_mapping)
        self.any = _smaller(self.any, certificate.extensions.inhibit_any_policy)


def _smaller(number: int, limit: int | None) -> int:
    return number if limit is None else max(0, min(number, limit))


def policy_problem(path: Sequence[Certificate], options: PolicyOptions) -> PathProblem | None:
    """Return why a path is not valid for the policies, or None.

    ``path`` begins with the end-entity certificate and does not contain the trust anchor.
    """
    if options == ANY_POLICIES and not any(_POLICY_EXTENSION.search(certificate.tbs) for certificate in path):
        return None
    count = len(path)
    counters = _Counters(
        0 if options.require_explicit_policy else count + 1,
        0 if options.inhibit_mapping else count + 1,
        0 if options.inhibit_any_policy else count + 1,
    )
    level: _Level = {ANY_POLICY: _Node(ANY_POLICY, frozenset((ANY_POLICY,)))}
    for depth in reversed(range(count)):
        certificate = path[depth]
        try:
            if _inconsistent(certificate):
                return problem_of_code(_INVALID_POLICY_EXTENSION, "", depth, certificate)
            any_counts = counters.any > 0 or (depth > 0 and certificate.is_self_issued)
            level = _next_level(level, certificate.extensions.certificate_policies, any_counts=any_counts)
            if not counters.explicit and not level:
                return _no_policy(depth, certificate, "an explicit policy is required")
            if depth:
                _map(level, certificate, allowed=counters.mapping > 0)
                counters.prepare(certificate)
                continue
            constraints = certificate.extensions.policy_constraints
        except Malformed as error:
            return problem_of_rule("malformed", depth, certificate, detail=str(error))
        counters.explicit = max(0, counters.explicit - 1)
        if constraints is not None and constraints.require_explicit_policy == 0:
            counters.explicit = 0
        valid = _valid_policies(level)
        if (
            counters.explicit
            or ANY_POLICY in valid
            or (valid if not options.policies else valid & options.policies)
        ):
            return None
        return _no_policy(depth, certificate, _mismatch(valid, options.policies))
    return None


def _no_policy(depth: int, certificate: Certificate, detail: str) -> PathProblem:
    return problem_of_rule("policy", depth, certificate, detail=detail, code=_NO_EXPLICIT_POLICY)


def _mismatch(valid: frozenset[str], required: frozenset[str]) -> str:
    if not valid:
        return "an explicit policy is required"
    return f"the path is valid for {', '.join(sorted(valid))}, not for {' or '.join(sorted(required))}"


def _inconsistent(certificate: Certificate) -> bool:
    """Whether a policy occurs twice (4.2.1.4), anyPolicy is mapped (4.2.1.5), or constraints are empty."""
    policies = certificate.extensions.certificate_policies or ()
    mappings = certificate.extensions.policy_mappings or ()
    constraints = certificate.extensions.policy_constraints
    if constraints == PolicyConstraints(None, None):
        return True
    return len(set(policies)) < len(policies) or any(ANY_POLICY in mapping for mapping in mappings)


def _next_level(previous: _Level, policies: tuple[str, ...] | None, *, any_counts: bool) -> _Level:
    """Return the nodes of the next certificate (6.1.3 (d), (e)); empty stands for a NULL graph."""
    if policies is None or not previous:
        return {}
    expecting = defaultdict[str, list[_Node]](list)
    for node in previous.values():
        for policy in node.expected:
            expecting[policy].append(node)
    any_parents = [previous[ANY_POLICY]] if ANY_POLICY in previous else []
    level: _Level = {}
    for policy in policies:
        if policy != ANY_POLICY and (parents := expecting.get(policy) or any_parents):
            level[policy] = _Node(policy, frozenset((policy,)), parents)
    if ANY_POLICY in policies and any_counts:
        for policy, parents in expecting.items():
            level.setdefault(policy, _Node(policy, frozenset((policy,)), parents))
    return level


def _map(level: _Level, certificate: Certificate, *, allowed: bool) -> None:
    """Apply the policy mappings of a CA to its level (6.1.4 (b))."""
    mapped = defaultdict[str, set[str]](set)
    for issuer_policy, subject_policy in certificate.extensions.policy_mappings or ():
        mapped[issuer_policy].add(subject_policy)
    for policy, subject_policies in mapped.items():
        if not allowed:
            level.pop(policy, None)
        elif policy in level:
            level[policy].expected = frozenset(subject_policies)
        elif ANY_POLICY in level:
            level[policy] = _Node(policy, frozenset(subject_policies), level[ANY_POLICY].parents)


def _valid_policies(level: _Level) -> frozenset[str]:
    """Return the policies, in the anchor's domain, that the last level is valid for (6.1.5 (g))."""
    policies = {ANY_POLICY} & level.keys()
    pending, visited = list(level.values()), set(level.values())
    while pending:
        node = pending.pop()
        if node.policy != ANY_POLICY and any(parent.policy == ANY_POLICY for parent in node.parents):
            policies.add(node.policy)
        for parent in node.parents:
            if parent not in visited:
                visited.add(parent)
                pending.append(parent)
    return frozenset(policies)
