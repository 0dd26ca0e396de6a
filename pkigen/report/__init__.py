"""A built environment for people: its hierarchy as a drawing, and all of it on one page.

standing             what is to be said of a certificate at an instant
hierarchy            authorities and certificates as nodes and edges, many as one
layout, svg          where each stands; the drawing
dot, mermaid         the same for Graphviz and Mermaid
timeline             dates as bars on an axis
answers              what validators said, from the JSON of `pkigen matrix`
gathering            all that the page shows
page                 HTML
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
