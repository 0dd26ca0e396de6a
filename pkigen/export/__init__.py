"""Ways out: configuration, stores and files for the programs that use what an environment holds."""

from pkigen.export.exporting import Exported, ExportOptions, export
from pkigen.export.rendering import shipped_template
from pkigen.export.target import TARGETS, Target

__all__ = ["TARGETS", "ExportOptions", "Exported", "Target", "export", "shipped_template"]
