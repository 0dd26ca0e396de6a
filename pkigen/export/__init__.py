"""Ways out: configuration, stores and files for the programs that use what an environment holds."""

from pkigen.export.export import ExportOptions, ExportResult, export
from pkigen.export.target import TARGETS, Target
from pkigen.export.template import shipped_template

__all__ = ["TARGETS", "ExportOptions", "ExportResult", "Target", "export", "shipped_template"]
