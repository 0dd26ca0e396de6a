"""The directory of an environment: layout, atomic writes, lock, index."""

from pkigen.store.enrolled import EnrolledRow
from pkigen.store.entries import (
    CrlState,
    Damage,
    DamagedIndex,
    Entry,
    Publication,
    Record,
    Revoked,
    StagedFiles,
    decoding,
)
from pkigen.store.index import Index
from pkigen.store.lock import EnvironmentInUse
from pkigen.store.shards import ShardFile, ShardRow
from pkigen.store.staged_files import stage, stage_all
from pkigen.store.store import Store

__all__ = [
    "CrlState",
    "Damage",
    "DamagedIndex",
    "EnrolledRow",
    "Entry",
    "EnvironmentInUse",
    "Index",
    "Publication",
    "Record",
    "Revoked",
    "ShardFile",
    "ShardRow",
    "StagedFiles",
    "Store",
    "decoding",
    "stage",
    "stage_all",
]
