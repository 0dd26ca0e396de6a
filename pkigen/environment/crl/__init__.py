"""The CRLs of each authority: what stands in them, when they are published anew (RFC 5280, 5)."""

from pkigen.environment.crl.entries import listed, revocation_changes
from pkigen.environment.crl.publish import Publisher, crl_path
from pkigen.environment.crl.schedule import (
    CHANGED,
    digest,
    due,
    needs_base,
    time_reasons,
)
from pkigen.environment.manifest.crl import published, revocation_of, told

__all__ = [
    "CHANGED",
    "Publisher",
    "crl_path",
    "digest",
    "due",
    "listed",
    "needs_base",
    "published",
    "revocation_changes",
    "revocation_of",
    "time_reasons",
    "told",
]
