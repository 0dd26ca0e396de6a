"""How entities get in place, and why a kill at any instant leaves each of them whole.

One batch goes through these steps; ``|`` is a point that has reached the disk:

1. Serials are committed (``Index.reserve``, by the caller, before anything is signed) |
2. Each entity's files are written into a staging folder of its own, in any process.
3. One flush for all of them |
4. The journal names each entity, its new entry and its staging folder | in one transaction
5. Each staging folder is exchanged with the entity's, or renamed where there is none: one system
   call, so that whoever looks sees the old folder or the new one. Loose files are renamed.
6. The folders that hold those names are flushed |
7. What others put into an old folder moves into the new one; altered files move aside; the rest of
   the old folder is deleted.
8. The entries become those of the index, the journal is emptied | in one transaction

Killed before 4, nothing was changed but staging folders that no journal names; the next ``open``
deletes them. After 8, all is done. In between the journal tells what to look at, and the staging
folder tells for each entity on which side of 5 it stands (``Placer.complete``): not swapped yet, it
is dropped and the old entity stays, index and folder; swapped, 7 and 8 are done. Every step of that
can be killed and done again: a rename that has happened leaves nothing to rename, a deleted file
nothing to delete, and the journal goes in the same transaction that records the entries.

After a power failure the same holds. A folder can only be seen in place once 3 is on the disk, so
its files are; and an old folder's files are deleted (7) only once its replacement's name is (6).

Where folders cannot be exchanged (Windows, some network file systems), 5 is two renames, and a kill
between them leaves the entity absent until the next ``open`` puts the new folder there.

A serial or a CRL number may so be drawn and never used. None is ever used twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from pkigen.store.entries import Entry, Publication
from pkigen.store.index import Index
from pkigen.store.layout import inside
from pkigen.store.placement import Placement
from pkigen.store.staging import sync_all, sync_folder, write_new


@dataclass(frozen=True, slots=True)
class Committer:
    """Puts batches in place; ``notes`` are what the user has to be told of it."""

    index: Index
    placer: Placement
    notes: list[str] = field(default_factory=list)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Put entities in place, each at once or not at all; durable when it returns."""
        self.mend()
        batch = [(_with_files(each), each.staged.folder) for each in publications]
        drafts = [draft for each in publications if each.loose for draft in self._write_loose(each)]
        staging = self.placer.staging
        sync_all((*(staging / folder for _, folder in batch), *drafts), self.placer.environment)
        self.index.begin_publishing(batch)
        replaced = [(entry, folder) for entry, folder in batch if self.placer.place(entry.id, folder)]
        self._end(batch, replaced)

    def mend(self) -> None:
        """Finish or undo what was begun to publish and not ended."""
        begun = self.index.journal()
        if not begun:
            return
        done = []
        for entry, folder in begun:
            if self.placer.complete(entry, folder):
                done.append((entry, folder))
            else:
                self.index.forget_publishing(entry.id)
        self._end(done, done)

    def foresee(self) -> None:
        """Have the index tell what it will tell once a killed build is mended; writes nothing."""
        placed = [entry.id for entry, folder in self.index.journal() if self.placer.is_placed(entry, folder)]
        if placed:
            self.index.pretend_published(placed)

    def _end(self, placed: Sequence[tuple[Entry, str]], replaced: Sequence[tuple[Entry, str]]) -> None:
        """All that comes after the folders' exchange."""
        parents = {entry.id.partition("/")[0] for entry, _ in placed}
        for entry, folder in placed:
            for number, path in enumerate(_loose(entry)):
                self._place_loose(f"{folder}.{number}", path)
                parents.add(path.rpartition("/")[0])
        for parent in parents:
            sync_folder(self.placer.environment / parent)
        before = self.index.get([entry.id for entry, _ in replaced])
        for entry, folder in replaced:
            note = self.placer.settle(before.get(entry.id), entry, folder)
            if note is not None:
                self.notes.append(note)
        self.index.end_publishing()

    def _write_loose(self, publication: Publication) -> list[Path]:
        folder = publication.staged.folder
        drafts = []
        for number, file in enumerate(publication.loose):
            inside(self.placer.environment, file.path)
            draft = self.placer.staging / f"{folder}.{number}"
            write_new(str(draft), file.data, secret=file.secret)
            drafts.append(draft)
        return drafts

    def _place_loose(self, draft: str, path: str) -> None:
        """Put a loose file in place, if that has not happened yet."""
        waiting = self.placer.staging / draft
        if waiting.exists():
            os.replace(waiting, inside(self.placer.environment, path))


def _loose(entry: Entry) -> list[str]:
    """The paths of an entry's files that lie elsewhere than in its folder, in their order."""
    return [path for path, _ in entry.files if not path.startswith(f"{entry.id}/")]


def _with_files(publication: Publication) -> Entry:
    """The publication's entry with the paths and digests of all its files."""
    entry = publication.entry
    own = tuple((f"{entry.id}/{name}", digest) for name, digest in publication.staged.files)
    loose = tuple((file.path, sha256(file.data).hexdigest()) for file in publication.loose)
    return replace(entry, files=own + loose)
