"""Ways out: configuration, stores and files for the programs that use what an environment holds."""

from pkigen.export.export import Exported, ExportOptions, export
from pkigen.export.target import TARGETS, Target
from pkigen.export.template import shipped_template

__all__ = ["TARGETS", "ExportOptions", "Exported", "Target", "export", "shipped_template"]
