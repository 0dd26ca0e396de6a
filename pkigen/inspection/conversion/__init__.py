"""Certificates, keys and chains from one kind of file into another; what a file is, is detected.

``read_sources`` tells what there is, ``find_leaf`` and ``order_chain`` tell what is what,
``convert`` writes.
"""

from pkigen.inspection.conversion.convert import convert
from pkigen.inspection.conversion.options import (
    Conversion,
    ConversionOptions,
    Target,
    WrittenFile,
)
from pkigen.inspection.conversion.selection import find_leaf, order_chain

__all__ = [
    "Conversion",
    "ConversionOptions",
    "Target",
    "WrittenFile",
    "convert",
    "find_leaf",
    "order_chain",
]
