"""Exports an environment: configuration, key stores and files for other programs."""

from pkigen.export.export import ExportOptions, ExportResult, export
from pkigen.export.target import FLEET_TARGETS, TARGETS, Target
from pkigen.export.template import shipped_template

__all__ = [
    "FLEET_TARGETS",
    "TARGETS",
    "ExportOptions",
    "ExportResult",
    "Target",
    "export",
    "shipped_template",
]
