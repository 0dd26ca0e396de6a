"""Alterations of the chain file: other certificates, another order, and other content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.asn1 import der
from pkigen.formats import pem, private_keys
from pkigen.formats.alterations.certificate import pkcs7
from pkigen.formats.alterations.draft import FileDraft
from pkigen.formats.alterations.text import with_invalid_byte

_NOT_DER = b"This is not DER.\n"
_NOT_A_CERTIFICATE = der.sequence(der.integer(1), der.null())


def _remove(draft: FileDraft, _argument: str) -> None:
    del draft.files["chain"]


def _with_key(draft: FileDraft, _argument: str) -> None:
    """Append the private key; the file then gets the mode of a key file."""
    file = draft.files["chain"]
    key = private_keys.pkcs8(draft.key, draft.issued.entity.output.passphrase, draft.entropy)
    draft.files["chain"] = replace(file, data=file.data + key, secret=True)


def _second_corrupt(draft: FileDraft, _argument: str) -> None:
    first, second, *others = map(pem.certificate, draft.chain)
    draft.write("chain", b"".join((first, with_invalid_byte(second, b"!"), *others)))


def _second_garbage(draft: FileDraft, _argument: str) -> None:
    first, *others = map(pem.certificate, draft.chain)
    draft.write("chain", b"".join((first, pem.certificate(_NOT_DER), *others)))


def _crl_inside(draft: FileDraft, _argument: str) -> None:
    """Write an empty CRL of an unrelated CA after the first certificate."""
    first, *others = map(pem.certificate, draft.chain)
    crl = pem.encode(pem.CRL, draft.unrelated.crl(draft.issued))
    draft.write("chain", b"".join((first, crl, *others)))


def _with_certificates(select: Callable[[FileDraft], tuple[bytes, ...]]) -> Callable[[FileDraft, str], None]:
    """Return an alteration that replaces the certificates of the chain."""

    def write(draft: FileDraft, _argument: str) -> None:
        draft.write_chain(select(draft))

    return write


CHAIN_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "remove": _remove,
    "other-ca": _with_certificates(lambda draft: (draft.unrelated.authority(draft.issued),)),
    "without-issuer": _with_certificates(lambda draft: draft.chain[1:]),
    "without-root": _with_certificates(lambda draft: draft.chain[:-1]),
    "only-root": _with_certificates(lambda draft: draft.chain[-1:]),
    "with-leaf": _with_certificates(lambda draft: (draft.certificate, *draft.chain)),
    "leaf-twice": _with_certificates(lambda draft: (*draft.chain, draft.certificate)),
    "duplicate": _with_certificates(lambda draft: (draft.chain[0], *draft.chain)),
    "unrelated": _with_certificates(lambda draft: (*draft.chain, draft.unrelated.authority(draft.issued))),
    "reversed": _with_certificates(lambda draft: draft.chain[::-1]),
    "root-first": _with_certificates(lambda draft: (draft.chain[-1], *draft.chain[:-1])),
    "second-corrupt": _second_corrupt,
    "second-garbage": _second_garbage,
    "unparsable": _with_certificates(lambda draft: (*draft.chain, _NOT_A_CERTIFICATE)),
    "crl-inside": _crl_inside,
    "with-key": _with_key,
    "pkcs7": lambda draft, _: draft.write("chain", pkcs7(draft.chain)),
}
