"""Enlarges a published CRL in memory when a client requests it, so that a build does not write it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pkigen.asn1 import der
from pkigen.environment.published.publishers import load_crl_issuers
from pkigen.environment.published.stored_keys import open_authority
from pkigen.errors import InputError
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.model import Signature
from pkigen.store import Store

_SERIAL_PREFIX = b"\x02\x10" + b"no certificate"[:12]
"""Tag, length and the first 12 of 16 bytes of each serial number; the others count the entries."""
_COUNTER_BYTES = 4
_TIMES = (0x17, 0x18)
_EXTENSIONS = 0xA0


@lru_cache(maxsize=1)
def enlarge_crl(folder: Path, url_path: str, crl: bytes, size: int) -> bytes:
    """Return a CRL with as many further entries as make it ``size`` bytes long, signed again.

    The entries are of serial numbers that no certificate has, dated at thisUpdate. ``url_path`` is the path
    of the CRL's URL. It takes about one second for 100 MB; the last one is cached. InputError if nothing is
    published there, or if the key of the authority is encrypted.
    """
    key = open_authority(folder, _issuer_at(folder, url_path)).signer.key
    fields = der.children(der.children(crl)[0])
    times = [number for number, field in enumerate(fields) if field[0] in _TIMES]
    this_update, place = fields[times[0]], times[-1] + 1
    listed = b""
    if place < len(fields) and fields[place][0] == der.SEQUENCE:
        listed = der.contents(fields.pop(place))
    length = len(_SERIAL_PREFIX) + _COUNTER_BYTES + len(this_update)
    head, count = bytes((der.SEQUENCE, length)) + _SERIAL_PREFIX, (size - len(crl)) // (length + 2)
    numbers = (number.to_bytes(_COUNTER_BYTES, "big") for number in range(count))
    entries = b"".join([head + number + this_update for number in numbers])
    fields[1] = signature_algorithm(key, Signature())
    fields.insert(place, der.sequence(listed, entries))
    tbs = der.sequence(*fields)
    return der.sequence(tbs, fields[1], der.bit_string(sign(key, tbs, Signature(), None)))


def _issuer_at(folder: Path, url_path: str) -> str:
    """Return the name of the authority whose CRL is published at the path of a URL."""
    with Store.open(folder, write=False) as store:
        for issuer in load_crl_issuers(store).values():
            if urlsplit(issuer.crl.url).path.endswith(url_path):
                return issuer.name
    raise InputError(f"no authority publishes its complete CRL at {url_path}")
