"""Certificates, keys, requests, CRLs and containers in words, for people and for programs.

Nothing is judged: what is expired or does not verify is said, and so is what cannot be read.
"""

from pkigen.inspection.description.describe import Overview, describe
from pkigen.inspection.description.relations import Relation, RelationKind
from pkigen.inspection.description.sheet import Description, Field

__all__ = ["Description", "Field", "Overview", "Relation", "RelationKind", "describe"]
