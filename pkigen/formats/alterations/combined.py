"""Alterations of PEM files with several objects: certificate, key and certificates of CAs."""

from __future__ import annotations

import re
from collections.abc import Callable

from pkigen.formats import pem
from pkigen.formats.alterations.draft import FileDraft

_BLOCK = re.compile(rb"-----BEGIN [^-]+-----\n.*?-----END [^-]+-----\n", re.DOTALL)
_Blocks = list[bytes]


def _is_key(block: bytes) -> bool:
    return b"PRIVATE KEY-----" in block


def _without_key(_draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return [one for one in blocks if not _is_key(one)]


def _with_key(draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return [*blocks, draft.files["key"].data]


def _without_issuers(draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return [one for one in blocks if _is_key(one) or one == pem.certificate(draft.certificate)]


def _without_root(draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return [one for one in blocks if one != pem.certificate(draft.chain[-1])]


def _with_root(draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return [*blocks, pem.certificate(draft.chain[-1])]


def _reversed(_draft: FileDraft, blocks: _Blocks) -> _Blocks:
    return blocks[::-1]


def _to_der(draft: FileDraft, _blocks: _Blocks) -> _Blocks:
    return [draft.certificate]


def combined_alteration(role: str, how: str, draft: FileDraft) -> None:
    """Change the blocks of the file in a role; ValueError if the file would not change."""
    blocks = _BLOCK.findall(draft.files[role].data)
    changed = COMBINED_ALTERATIONS[how](draft, blocks)
    if changed == blocks:
        raise ValueError(f"the alteration '{how}' does not change the file '{role}'")
    draft.write(role, b"".join(changed))


COMBINED_ALTERATIONS: dict[str, Callable[[FileDraft, _Blocks], _Blocks]] = {
    "without-key": _without_key,
    "with-added-key": _with_key,
    "without-issuers": _without_issuers,
    "without-root-block": _without_root,
    "with-root": _with_root,
    "reversed-blocks": _reversed,
    "certificate-in-der": _to_der,
}
