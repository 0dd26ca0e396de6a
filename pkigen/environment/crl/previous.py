"""Continues the CRL that an imported authority published elsewhere: its number and its revocations."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from pkigen.model import REASON_CODES
from pkigen.store import Revoked, Store
from pkigen.x509 import CertificateList

_FROM_CRL = "crl"
_REASONS = {code: reason for reason, code in REASON_CODES.items()}


def continue_crl(store: Store, authority: str, crl: CertificateList) -> None:
    """Record the number and the revocations of a CRL, once: commands can then change the revocations."""
    key, digest = f"previous crl {authority}", sha256(crl.der).hexdigest()
    if store.index.meta(key) == digest:
        return
    store.index.raise_crl_number(authority, crl.number or 0)
    store.index.set_revocations(_revocations(authority, crl))
    store.index.set_meta(key, digest)


def _revocations(authority: str, crl: CertificateList) -> Iterator[Revoked]:
    for entry in crl.entries():
        since = entry.invalid_since
        yield Revoked(
            authority,
            entry.serial,
            "",
            _REASONS.get(entry.reason, "unspecified"),
            int(entry.at.timestamp()),
            _FROM_CRL,
            "",
            None if since is None else int(since.timestamp()),
        )
