"""Commits entities to an environment, so that a kill at any time leaves each of them complete.

A batch goes through these steps; ``|`` marks the points at which the data has reached the disk:

1. Serial numbers are committed (by the caller with ``Index.reserve``, before anything is signed) |
2. Each entity's files are written into a staging directory of its own, in any process.
3. One flush for all of them |
4. The journal lists each entity, its new entry and its staging directory | in one transaction
5. Each staging directory is exchanged with the entity's directory, or renamed if there is none: one
   system call, so that readers see either the old or the new directory. Loose files are renamed.
6. The parent directories are flushed |
7. Files that pkigen did not write move from the old directory to the new one; altered files move aside;
   the rest of the old directory is deleted.
8. The entries move from the journal to the index | in one transaction

A process that is killed before step 4 leaves only staging directories without a journal entry, which the
next ``open`` deletes. After step 8 everything is done. In between, the journal lists the affected entities,
and the content of the staging directory shows whether step 5 happened (``Placement.complete``). If not, the
new entity is discarded, and index and directory keep the old one; otherwise steps 7 and 8 are completed.
This recovery can itself be killed and repeated: a completed rename leaves nothing to rename, a deleted file
nothing to delete, and the journal is emptied in the transaction that records the entries.

The same applies to a power failure. A directory can be in place only after step 3, so its files are on the
disk. The files of an old directory are deleted (7) only after the name of its replacement is on the disk (6).

If directories cannot be exchanged (Windows, some network file systems), step 5 takes two renames, and a
kill between them leaves the entity missing until the next ``open`` puts the new directory in place.

A serial number or CRL number can therefore be reserved and never used. None is used twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

from pkigen import renames
from pkigen.store.entries import Entry, Publication
from pkigen.store.index import Index
from pkigen.store.layout import inside
from pkigen.store.placement import Placement
from pkigen.store.staged_files import sync_all, sync_directory, write_new


@dataclass(frozen=True, slots=True)
class Committer:
    """Commits batches; ``notes`` are messages for the user."""

    index: Index
    placement: Placement
    notes: list[str] = field(default_factory=list)

    def commit(self, publications: Sequence[Publication]) -> None:
        """Commit entities, each of them atomically; durable when the call returns."""
        self.recover()
        batch = [(_with_files(each), each.staged.folder) for each in publications]
        drafts = [draft for each in publications if each.loose for draft in self._write_loose(each)]
        staging = self.placement.staging
        folders = (staging / folder for _, folder in batch)
        sync_all(chain(folders, drafts), self.placement.environment)
        self.index.begin_publishing(batch)
        replaced = [(entry, folder) for entry, folder in batch if self.placement.place(entry.id, folder)]
        self._finish(batch, replaced)

    def recover(self) -> None:
        """Complete or roll back the batch of a killed process."""
        journal = self.index.journal()
        if not journal:
            return
        placed = []
        for entry, folder in journal:
            if self.placement.complete(entry, folder):
                placed.append((entry, folder))
            else:
                self.index.forget_publishing(entry.id)
        self._finish(placed, placed)

    def simulate_recovery(self) -> None:
        """Make this connection read the index as ``recover`` will leave it. Writes nothing."""
        placed = [
            entry.id for entry, folder in self.index.journal() if self.placement.is_placed(entry, folder)
        ]
        if placed:
            self.index.pretend_published(placed)

    def _finish(self, placed: Sequence[tuple[Entry, str]], replaced: Sequence[tuple[Entry, str]]) -> None:
        """Do steps 6 to 8."""
        parents = {entry.id.partition("/")[0] for entry, _ in placed}
        for entry, folder in placed:
            for number, path in enumerate(_loose(entry)):
                self._place_loose(f"{folder}.{number}", path)
                parents.add(path.rpartition("/")[0])
        for parent in parents:
            sync_directory(self.placement.environment / parent)
        before = self.index.get([entry.id for entry, _ in replaced])
        for entry, folder in replaced:
            note = self.placement.settle(before.get(entry.id), entry, folder)
            if note is not None:
                self.notes.append(note)
        self.index.end_publishing()

    def _write_loose(self, publication: Publication) -> list[Path]:
        folder = publication.staged.folder
        drafts = []
        for number, file in enumerate(publication.loose):
            inside(self.placement.environment, file.path)
            draft = self.placement.staging / f"{folder}.{number}"
            write_new(str(draft), file.data, secret=file.secret)
            drafts.append(draft)
        return drafts

    def _place_loose(self, staged: str, path: str) -> None:
        """Put a loose file in place, unless that already happened."""
        draft = self.placement.staging / staged
        if draft.exists():
            renames.replace(draft, inside(self.placement.environment, path))


def _loose(entry: Entry) -> list[str]:
    """Return the paths of an entry's files outside its directory, in order."""
    return [path for path, _ in entry.files if not path.startswith(f"{entry.id}/")]


def _with_files(publication: Publication) -> Entry:
    """Return the publication's entry with the paths and digests of all its files."""
    entry = publication.entry
    own = tuple((f"{entry.id}/{name}", digest) for name, digest in publication.staged.files)
    loose = tuple((file.path, sha256(file.data).hexdigest()) for file in publication.loose)
    return replace(entry, files=own + loose)
