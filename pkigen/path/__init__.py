"""Path validation as an appliance does it: by OpenSSL, with the reason for a refusal in words."""

from pkigen.path.distribution import Fetched
from pkigen.path.fetching import Unreachable, fetch
from pkigen.path.hosts import covers
from pkigen.path.online import validate_online
from pkigen.path.problems import PathProblem
from pkigen.path.validation import PathResult, Purpose, validate
from pkigen.path.verifying import Verification, Verified, verify

__all__ = [
    "Fetched",
    "PathProblem",
    "PathResult",
    "Purpose",
    "Unreachable",
    "Verification",
    "Verified",
    "covers",
    "fetch",
    "validate",
    "validate_online",
    "verify",
]
