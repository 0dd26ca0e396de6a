"""The kinds of demand, found automatically: every module of this package and of the entry points.

To add a kind, add a module with a class that ``@demand`` registers. Other distributions name such a
module in the entry point group ``pkigen.demands``.
"""

import sys

from pkigen.plugins import import_modules, load_entry_points
from pkigen.requirements.demand import KINDS

import_modules(sys.modules[__name__])
for _name, _module in load_entry_points("pkigen.demands"):
    pass  # importing the module has registered its kinds

__all__ = ["KINDS"]
