"""The directory of an environment: layout, atomic writes, lock, index."""

from pkigen.store.entries import (
    CrlState,
    Damage,
    Entry,
    Publication,
    Record,
    Revoked,
    StagedFiles,
)
from pkigen.store.index import Index
from pkigen.store.staging import stage
from pkigen.store.store import Store

__all__ = [
    "CrlState",
    "Damage",
    "Entry",
    "Index",
    "Publication",
    "Record",
    "Revoked",
    "StagedFiles",
    "Store",
    "stage",
]
