"""Lists certificates that devices request in manifest.json, with a cost that grows with the new ones only."""

from __future__ import annotations

import os
from collections.abc import Set
from datetime import datetime

from pkigen.environment.manifest import write
from pkigen.environment.manifest.enrolled import enrolled_line
from pkigen.environment.manifest.update import read_manifest
from pkigen.store import Store


class EnrolledListing:
    """Lists the requested certificates of one environment; the caller holds the environment's lock.

    It keeps what it wrote, and reuses it as long as nobody else has written the manifest: builds and
    revocations write the objects of all certificates.
    """

    def __init__(self) -> None:
        self._written: object = None
        self._clock: datetime
        self._revoked: Set[str] = frozenset()
        self._head = ""
        self._lines = dict[str, tuple[str, str]]()
        """The serial numbers and the object of each certificate."""

    def update(self, store: Store) -> None:
        """Write the certificates that were issued since; nothing if the manifest is missing or damaged."""
        if self._written is None or self._written != _state(store):
            manifest = read_manifest(store)
            if manifest is None:
                return
            self._clock = manifest.clock
            self._revoked = {one.name for one in manifest.authorities if one.revoked is not None}
            self._head = "".join(write.document_head(manifest))
            self._lines = {}
        lines = {}
        for entity, serials in store.index.enrolled.serials().items():
            known = self._lines.get(entity)
            lines[entity] = known if known and known[0] == serials else (serials, self._line(store, entity))
        self._lines = lines
        pieces = write.with_enrolled([self._head], [line for _, line in lines.values()])
        write.write_document(store, self._clock, pieces)
        self._written = _state(store)

    def _line(self, store: Store, entity: str) -> str:
        row = store.index.enrolled.get(entity)
        assert row is not None
        return enrolled_line(store, row, self._clock, self._revoked)


def _state(store: Store) -> object:
    """Return what every writer of the manifest changes."""
    try:
        status = os.stat(store.folder / write.PATH)
    except OSError:
        return None
    return store.index.meta("manifest"), status.st_ino, status.st_mtime_ns, status.st_size
