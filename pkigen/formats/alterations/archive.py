"""Alterations of ZIP and tar archives: without the key, the issuers or the root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats.alterations.draft import FileDraft
from pkigen.formats.output_formats import format_called
from pkigen.model import Issued


def archive_alterations(role: str) -> dict[str, Callable[[FileDraft, str], None]]:
    """Return the alterations of the archive of an output format."""

    def without(change: Callable[[Issued], Issued]) -> Callable[[FileDraft, str], None]:
        def write(draft: FileDraft, _argument: str) -> None:
            archive = format_called(role).render(change(draft.issued), draft.entropy)
            draft.write(role, archive.data)

        return write

    return {
        "no-key": without(lambda issued: replace(issued, key=None)),
        "no-chain": without(lambda issued: replace(issued, chain=())),
        "no-root": without(lambda issued: replace(issued, chain=issued.chain[:-1])),
    }
