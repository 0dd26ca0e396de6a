"""Other certificates than those above, in the chain's file; and other things than certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats import pem, private_keys
from pkigen.formats.alterations.certificate import pkcs7
from pkigen.formats.alterations.draft import FileDraft
from pkigen.formats.alterations.text import with_invalid_byte


def _remove(draft: FileDraft, _argument: str) -> None:
    del draft.files["chain"]


def _with_key(draft: FileDraft, _argument: str) -> None:
    """The private key behind the certificates: the file is then as secret as the key's own."""
    held = draft.files["chain"]
    key = private_keys.pkcs8(draft.key, draft.issued.entity.output.passphrase, draft.entropy)
    draft.files["chain"] = replace(held, data=held.data + key, secret=True)


def _second_corrupt(draft: FileDraft, _argument: str) -> None:
    first, second, *others = map(pem.certificate, draft.chain)
    draft.write("chain", b"".join((first, with_invalid_byte(second, b"!"), *others)))


def _holding(choose: Callable[[FileDraft], tuple[bytes, ...]]) -> Callable[[FileDraft, str], None]:
    """Certificates chosen anew."""

    def write(draft: FileDraft, _argument: str) -> None:
        draft.write_chain(choose(draft))

    return write


CHAIN_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "remove": _remove,
    "other-ca": _holding(lambda draft: (draft.strangers.authority(draft.issued),)),
    "without-issuer": _holding(lambda draft: draft.chain[1:]),
    "without-root": _holding(lambda draft: draft.chain[:-1]),
    "only-root": _holding(lambda draft: draft.chain[-1:]),
    "with-leaf": _holding(lambda draft: (draft.certificate, *draft.chain)),
    "leaf-twice": _holding(lambda draft: (*draft.chain, draft.certificate)),
    "duplicate": _holding(lambda draft: (draft.chain[0], *draft.chain)),
    "unrelated": _holding(lambda draft: (*draft.chain, draft.strangers.authority(draft.issued))),
    "reversed": _holding(lambda draft: draft.chain[::-1]),
    "root-first": _holding(lambda draft: (draft.chain[-1], *draft.chain[:-1])),
    "second-corrupt": _second_corrupt,
    "with-key": _with_key,
    "pkcs7": lambda draft, _: draft.write("chain", pkcs7(draft.chain)),
}
