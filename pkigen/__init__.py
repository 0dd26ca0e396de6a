"""Generates test PKIs: in memory, or from YAML profiles.

ca = pkigen.CA()
certificate = ca.issue("host.test")
certificate.configure(ssl_context)

environment = pkigen.build("profile.yaml", out="out")
environment["sensor-01"].revoke()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkigen.api.build import build, load, preview, serving
    from pkigen.api.ca import CA, Certificate
    from pkigen.api.environment import Case, Environment, open_environment
    from pkigen.api.inspection import fault_catalog, verify
    from pkigen.environment.build.options import BuildOptions
    from pkigen.errors import EnvironmentFailure, InputError, PkigenError, Refused
    from pkigen.faults import FaultType
    from pkigen.inspection.check import CheckResult
    from pkigen.inspection.path.verify import VerifiedCertificate

__version__ = "0.2.0"

__all__ = [
    "CA",
    "BuildOptions",
    "Case",
    "Certificate",
    "CheckResult",
    "Environment",
    "EnvironmentFailure",
    "FaultType",
    "InputError",
    "PkigenError",
    "Refused",
    "VerifiedCertificate",
    "build",
    "fault_catalog",
    "load",
    "open_environment",
    "preview",
    "serving",
    "verify",
]

_MODULES = {
    "pkigen.api.build": (
        "build",
        "load",
        "preview",
        "serving",
    ),
    "pkigen.api.ca": (
        "CA",
        "Certificate",
    ),
    "pkigen.api.environment": (
        "Case",
        "Environment",
        "open_environment",
    ),
    "pkigen.api.inspection": (
        "fault_catalog",
        "verify",
    ),
    "pkigen.environment.build.options": ("BuildOptions",),
    "pkigen.errors": (
        "EnvironmentFailure",
        "InputError",
        "PkigenError",
        "Refused",
    ),
    "pkigen.faults": ("FaultType",),
    "pkigen.inspection.check": ("CheckResult",),
    "pkigen.inspection.path.verify": ("VerifiedCertificate",),
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that ``import pkigen`` alone loads nothing else."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'pkigen' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the public names as well, although they are not imported yet."""
    return sorted({*globals(), *__all__})
