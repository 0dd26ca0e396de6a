"""Makes garbage collections rare, for commands that create few reference cycles and exit soon."""

from __future__ import annotations

import gc

_THRESHOLD = 500_000


def collect_garbage_rarely() -> None:
    """Exclude what exists from collections, and collect after many new objects only.

    Collections would take 10 % of the time of a large build or check.
    """
    gc.freeze()
    gc.set_threshold(_THRESHOLD)
