"""An environment: built, previewed, opened."""

from __future__ import annotations

from pkigen.environment.build import build
from pkigen.environment.options import (
    Action,
    BuildOptions,
    BuildResult,
    Change,
    CrlChange,
    Progress,
    Summary,
)
from pkigen.environment.preview import preview
from pkigen.environment.reading import Case, Environment, open_environment
from pkigen.environment.renewing import renew

__all__ = [
    "Action",
    "BuildOptions",
    "BuildResult",
    "Case",
    "Change",
    "CrlChange",
    "Environment",
    "Progress",
    "Summary",
    "build",
    "open_environment",
    "preview",
    "renew",
]
