"""An environment: built, previewed, opened, renewed, revoked."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkigen.environment.breaking import break_certificate
    from pkigen.environment.building import build
    from pkigen.environment.options import (
        Action,
        BuildOptions,
        BuildResult,
        Change,
        CrlChange,
        Progress,
        Summary,
    )
    from pkigen.environment.previewing import preview
    from pkigen.environment.reading import Case, Environment, open_environment
    from pkigen.environment.renewing import renew
    from pkigen.environment.revoking import RevocationResult, refresh_crl, revoke, unrevoke

__all__ = [
    "Action",
    "BuildOptions",
    "BuildResult",
    "Case",
    "Change",
    "CrlChange",
    "Environment",
    "Progress",
    "RevocationResult",
    "Summary",
    "break_certificate",
    "build",
    "open_environment",
    "preview",
    "refresh_crl",
    "renew",
    "revoke",
    "unrevoke",
]

_HOMES = {
    "breaking": ("break_certificate",),
    "building": ("build",),
    "options": ("Action", "BuildOptions", "BuildResult", "Change", "CrlChange", "Progress", "Summary"),
    "previewing": ("preview",),
    "reading": ("Case", "Environment", "open_environment"),
    "renewing": ("renew",),
    "revoking": ("RevocationResult", "refresh_crl", "revoke", "unrevoke"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: what only reads need not import what builds."""
    for home, names in _HOMES.items():
        if name in names:
            found: object = getattr(import_module(f"pkigen.environment.{home}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'pkigen.environment' has no attribute '{name}'")
