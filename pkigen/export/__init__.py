"""Exports an environment: configuration, key stores and files for other programs."""

from pkigen.export.export import ExportOptions, ExportResult, export
from pkigen.export.target import TARGETS, Target
from pkigen.export.template import shipped_template

__all__ = ["TARGETS", "ExportOptions", "ExportResult", "Target", "export", "shipped_template"]
