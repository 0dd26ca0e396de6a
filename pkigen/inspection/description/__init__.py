"""Describes certificates, keys, requests, CRLs and containers, as text and as JSON data.

Describes only; expired, unverifiable and unreadable values are marked, and nothing is accepted or rejected.
"""

from pkigen.inspection.description.describe import Overview, describe
from pkigen.inspection.description.relations import Relation, RelationKind
from pkigen.inspection.description.sheet import Description, Field

__all__ = ["Description", "Field", "Overview", "Relation", "RelationKind", "describe"]
