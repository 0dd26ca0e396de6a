"""Path validation as an appliance does it: by OpenSSL, with the reason for a refusal in words."""

from pkigen.inspection.path.crl_retrieval import Fetched, validate_online
from pkigen.inspection.path.host_names import covers
from pkigen.inspection.path.http_fetch import Unreachable, fetch
from pkigen.inspection.path.problems import PathProblem
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.inspection.path.verify import Verification, Verified, verify

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
