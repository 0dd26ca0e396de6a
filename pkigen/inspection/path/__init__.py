"""Validates certification paths as appliances do, with OpenSSL, and explains why a path is invalid."""

from pkigen.inspection.path.crl_scope import may_list
from pkigen.inspection.path.host_names import host_mismatch
from pkigen.inspection.path.policies import PolicyOptions, policy_oids
from pkigen.inspection.path.problems import PathProblem
from pkigen.inspection.path.validation import PathResult, Purpose, revocations, validate

__all__ = [
    "PathProblem",
    "PathResult",
    "PolicyOptions",
    "Purpose",
    "host_mismatch",
    "may_list",
    "policy_oids",
    "revocations",
    "validate",
]
