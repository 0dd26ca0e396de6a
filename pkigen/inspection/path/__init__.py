"""Validates certification paths as appliances do, with OpenSSL, and explains why a path is invalid."""

from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.crl_scope import may_list
from pkigen.inspection.path.downloader import MAX_URLS_PER_CERTIFICATE, Downloader
from pkigen.inspection.path.host_names import host_mismatch
from pkigen.inspection.path.http_fetch import FetchError, fetch
from pkigen.inspection.path.policies import PolicyOptions, policy_oids
from pkigen.inspection.path.problems import PathProblem
from pkigen.inspection.path.server import read_input
from pkigen.inspection.path.validation import PathResult, Purpose, revocations, validate
from pkigen.inspection.path.verify import UnusedInput, Verification, VerifiedCertificate, verify

__all__ = [
    "MAX_URLS_PER_CERTIFICATE",
    "CrlRetriever",
    "Downloader",
    "FetchError",
    "PathProblem",
    "PathResult",
    "PolicyOptions",
    "Purpose",
    "UnusedInput",
    "Verification",
    "VerifiedCertificate",
    "fetch",
    "host_mismatch",
    "may_list",
    "policy_oids",
    "read_input",
    "revocations",
    "validate",
    "validate_online",
    "verify",
]
