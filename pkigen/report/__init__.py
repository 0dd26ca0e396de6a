"""Reports about a built environment: an HTML page, and drawings of its hierarchy.

status               the status of a certificate at a time: revoked, expired, ...
hierarchy            CAs and certificates as nodes and edges; similar ones share a node
svg, dot, mermaid    the hierarchy as a drawing
timeline             validity periods as bars on an axis
matrix_results       the validators' verdicts, from the JSON of `pkigen matrix`
requirement_results  the findings of `pkigen check`, by requirement
rows, page_data      the contents of the page
page                 the page as HTML
"""

from __future__ import annotations

from pkigen.report.dot import as_dot
from pkigen.report.hierarchy import Hierarchy, hierarchy_of
from pkigen.report.matrix_results import read_matrix_results
from pkigen.report.mermaid import as_mermaid
from pkigen.report.page import as_page
from pkigen.report.page_data import ReportOptions, collect_page_data
from pkigen.report.svg import as_svg

__all__ = [
    "Hierarchy",
    "ReportOptions",
    "as_dot",
    "as_mermaid",
    "as_page",
    "as_svg",
    "collect_page_data",
    "hierarchy_of",
    "read_matrix_results",
]
