"""The CRLs of each authority: what stands in them, when they are published anew (RFC 5280, 5)."""

from pkigen.environment.crl.entries import listed_revocations, revocation_changes
from pkigen.environment.crl.publish import CrlPublisher, crl_path, published_crls
from pkigen.environment.crl.schedule import (
    CHANGED,
    content_digest,
    needs_new_base,
    publication_reasons,
    time_reasons,
)

__all__ = [
    "CHANGED",
    "CrlPublisher",
    "content_digest",
    "crl_path",
    "listed_revocations",
    "needs_new_base",
    "publication_reasons",
    "published_crls",
    "revocation_changes",
    "time_reasons",
]
