"""A digest of a certificate's requested content: equal digests, equal certificates.

A digest is a string of ``PART=HEX`` joined by ``;``, so that a comparison shows which part changed. It
omits clock, keys and drawn serial numbers, because they do not come from the profile.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2s

from pkigen.asn1 import names
from pkigen.asn1.oids import SIGNED_CERTIFICATE_TIMESTAMPS, TITLES
from pkigen.model import Extension, Name, Signature
from pkigen.x509.timestamps import undated

SHARED_KEY = "shared key"
"""The part for the authority that has the same key."""


def digest(
    subject: Name,
    issuer: Name,
    signature: Signature,
    validity: str,
    extensions: tuple[Extension, ...],
    faults: str = "",
    serial: int | None = None,
    key_of: str = "",
) -> str:
    """Return the digest of a certificate's parts; ``validity`` is the text of the profile.

    ``faults`` lists the intentional faults, empty for a certificate without a fault. ``serial`` is the serial
    number if the profile states it, ``key_of`` the authority that has the same key.
    """
    parts = [
        *((f"{SHARED_KEY}={_short(key_of.encode())}",) if key_of else ()),
        *((f"faults={_short(faults.encode())}",) if faults else ()),
        *(() if serial is None else (f"serial number={serial:x}",)),
        f"subject={_short(names.encode(subject))}",
        _shared_parts(issuer, signature, validity),
        *map(_of_extension, extensions),
    ]
    return ";".join(parts)


def changed_parts(before: str, now: str) -> tuple[str, ...]:
    """Return the parts in which two digests differ, named for people.

    Digests of several certificates for one key are joined by ``|``.
    """
    if before == now:
        return ()
    old, new = before.split("|"), now.split("|")
    if len(old) != len(new):
        return ("set of issuers",)
    parts = [part for pair in zip(old, new, strict=True) for part in _changed_parts(*pair)]
    return tuple(dict.fromkeys(parts))


def _changed_parts(before: str, now: str) -> list[str]:
    if before == now:
        return []
    old, new = (dict(part.partition("=")[::2] for part in text.split(";") if part) for text in (before, now))
    changed = [part for part in {**old, **new} if old.get(part) != new.get(part)]
    return [TITLES.get(part, part) for part in changed] or ["order of extensions"]


@lru_cache(maxsize=64)
def _shared_parts(issuer: Name, signature: Signature, validity: str) -> str:
    """Return the digests of the parts that most certificates share."""
    return (
        f"issuer={_short(names.encode(issuer))};signature={_short(repr(signature).encode())};"
        f"validity={_short(validity.encode())}"
    )


@lru_cache(maxsize=1024)
def _of_extension(extension: Extension) -> str:
    """Return the digest of an extension, cached because many certificates share most extensions."""
    value = extension.value if isinstance(extension.value, bytes) else extension.value.value.encode()
    if extension.oid == SIGNED_CERTIFICATE_TIMESTAMPS:
        value = undated(value)
    return f"{extension.oid}={_short(value + bytes((extension.critical,)))}"


def _short(part: bytes) -> str:
    return blake2s(part, digest_size=8).hexdigest()
