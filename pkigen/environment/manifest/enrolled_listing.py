"""Lists certificates that devices request in manifest.json, with a cost that grows with the new ones only."""

from __future__ import annotations

import os
from collections.abc import Set
from datetime import datetime

from pkigen.environment.manifest import write
from pkigen.environment.manifest.enrolled import EnrolledLines
from pkigen.environment.manifest.update import read_manifest
from pkigen.store import Store


class EnrolledListing:
    """Lists the requested certificates of one environment; the caller holds the environment's lock.

    It keeps the rest of the manifest as long as nobody else has written it, and what only a new certificate
    changes in the other objects.
    """

    def __init__(self) -> None:
        self._written: object = None
        self._clock: datetime
        self._revoked: Set[str] = frozenset()
        self._head = ""
        self._lines = EnrolledLines()

    def update(self, store: Store) -> None:
        """Write the certificates that were issued since; nothing if the manifest is missing or damaged."""
        if self._written is None or self._written != _state(store):
            manifest = read_manifest(store)
            if manifest is None:
                return
            self._clock = manifest.clock
            self._revoked = {one.name for one in manifest.authorities if one.revoked is not None}
            self._head = "".join(write.document_head(manifest))
        lines = self._lines.lines(store, self._clock, self._revoked)
        write.write_document(store, self._clock, write.with_enrolled([self._head], lines))
        self._written = _state(store)


def _state(store: Store) -> object:
    """Return what every writer of the manifest changes."""
    try:
        status = os.stat(store.folder / write.PATH)
    except OSError:
        return None
    return store.index.meta("manifest"), status.st_ino, status.st_mtime_ns, status.st_size
