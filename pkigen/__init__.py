"""Generates test PKIs from YAML profiles.

environment = pkigen.build("profile.yaml", out="out")
for case in environment.cases():
    print(case.name, case.certificate, case.accepted)
with pkigen.serving(environment) as url:
    ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkigen.api import build, load, preview, serving
    from pkigen.environment.build.options import BuildOptions
    from pkigen.environment.environment import Case, Environment, open_environment
    from pkigen.errors import EnvironmentFailure, InputError, PkigenError

__version__ = "0.1.0"

__all__ = [
    "BuildOptions",
    "Case",
    "Environment",
    "EnvironmentFailure",
    "InputError",
    "PkigenError",
    "build",
    "load",
    "open_environment",
    "preview",
    "serving",
]

_MODULES = {
    "pkigen.api": ("build", "load", "preview", "serving"),
    "pkigen.environment.build.options": ("BuildOptions",),
    "pkigen.environment.environment": ("Case", "Environment", "open_environment"),
    "pkigen.errors": ("EnvironmentFailure", "InputError", "PkigenError"),
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
