"""Path validation as an appliance does it: by OpenSSL, with the reason for a refusal in words."""

from pkigen.path.fetching import Unreachable, fetch
from pkigen.path.hosts import covers
from pkigen.path.problems import PathProblem
from pkigen.path.validation import PathResult, validate

__all__ = ["PathProblem", "PathResult", "Unreachable", "covers", "fetch", "validate"]
