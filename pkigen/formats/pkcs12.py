"""Writes PKCS#12 files (RFC 7292), also with certificates that libraries reject, and with old ciphers."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha1
from secrets import token_bytes

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.formats.passphrase_encryption import FOR_MAC, encrypt_pbes2, encrypt_pkcs12, pkcs12_derived
from pkigen.model import Edit, EditOp, Issued

_ITERATIONS = 20_000
"""Iterations of the key derivation; Java and Windows accept this number, and use no more themselves."""
_MAC_ITERATIONS = 2048
_DATA, _ENCRYPTED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_BAG = "1.2.840.113549.1.12.10.1."
_KEY_BAG, _SHROUDED_KEY_BAG, _CERTIFICATE_BAG = (f"{_BAG}{number}" for number in (1, 2, 3))
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME, _LOCAL_KEY_ID = "1.2.840.113549.1.9.20", "1.2.840.113549.1.9.21"
_TRUSTED_KEY_USAGE, _ANY_USAGE = "2.16.840.1.113894.746875.1.1", "2.5.29.37.0"
"""The attribute by which Java recognizes trust anchors."""
_DIGESTS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
_3DES, _RC2_40 = "1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.6"
_MAC_VALUE = (2, 0, 1)
"""The path of the MAC's digest in a PFX."""


class Protection(StrEnum):
    """Ciphers and MAC of a file: current ones, those of readers from before 2018, and of very old ones."""

    AES = "AES-256 with a SHA-256 MAC"
    LEGACY = "3DES with a SHA-1 MAC"
    RC2 = "RC2-40 for certificates, 3DES for the key, with a SHA-1 MAC"


def key_store(issued: Issued, *, protection: Protection = Protection.AES) -> bytes:
    """Return key, certificate and chain with the alias and passphrase of the entity's output."""
    output = issued.entity.output
    certificates = (*issued.certificates[:1], *issued.chain)
    return pkcs12_file(
        issued.key, certificates, output.alias, output.pkcs12_passphrase, protection=protection
    )


def pkcs12_file(
    key: bytes | None,
    certificates: Sequence[bytes],
    alias: str,
    passphrase: bytes | None,
    *,
    protection: Protection = Protection.AES,
) -> bytes:
    """Return a PFX with a key (PKCS#8), its certificate and those above it.

    ``alias`` is the friendly name of key and certificate. Without a passphrase nothing is encrypted.
    """
    key_id = sha1(certificates[0] if certificates else key or b"", usedforsecurity=False).digest()
    own = (_attribute(_FRIENDLY_NAME, der.string(der.BMP_STRING, alias)),) if alias else ()
    own = (*own, _attribute(_LOCAL_KEY_ID, der.octet_string(key_id))) if key else own
    bags = [_certificate_bag(one, () if number else own) for number, one in enumerate(certificates)]
    sealer = _Sealer(passphrase, protection)
    parts = [sealer.contents(der.sequence(*bags))] if bags else []
    if key is not None:
        parts.append(_content(der.sequence(sealer.key_bag(key, own))))
    return sealer.file(parts)


class KeyStoreWriter:
    """Collects many keys with their certificates for one file; ``chain`` are the CA certificates above all.

    All keys are encrypted with one derived key, so that writing takes no key derivation for each of them.
    """

    def __init__(self, chain: Sequence[bytes], passphrase: bytes) -> None:
        self._sealer = _Sealer(passphrase, Protection.AES, _MAC_ITERATIONS)
        self._certificates = [_certificate_bag(one, ()) for one in chain]
        self._keys = list[bytes]()

    def add(self, alias: str, key: bytes, certificate: bytes) -> None:
        """Add a key (PKCS#8) and its certificate under an alias."""
        key_id = sha1(certificate, usedforsecurity=False).digest()
        own = (
            _attribute(_FRIENDLY_NAME, der.string(der.BMP_STRING, alias)),
            _attribute(_LOCAL_KEY_ID, der.octet_string(key_id)),
        )
        self._certificates.append(_certificate_bag(certificate, own))
        self._keys.append(self._sealer.key_bag(key, own))

    def file(self) -> bytes:
        """Return the PFX."""
        certificates = self._sealer.contents(der.sequence(*self._certificates))
        return self._sealer.file([certificates, _content(der.sequence(*self._keys))])


def trust_store(anchors: Sequence[bytes], alias: str, passphrase: bytes) -> bytes:
    """Return a trust store: certificates with the attribute by which Java recognizes trust anchors."""
    trusted = _attribute(_TRUSTED_KEY_USAGE, der.oid(_ANY_USAGE))
    bags = [
        _certificate_bag(
            anchor, (_attribute(_FRIENDLY_NAME, der.string(der.BMP_STRING, f"{alias}-{number}")), trusted)
        )
        for number, anchor in enumerate(anchors, 1)
    ]
    sealer = _Sealer(passphrase, Protection.AES)
    return sealer.file([sealer.contents(der.sequence(*bags))])


def with_bad_mac(issued: Issued) -> bytes:
    """Return the key store with one bit of its MAC flipped."""
    return with_edit(issued, Edit(_MAC_VALUE, EditOp.FLIP_LAST_BIT))


def with_edit(issued: Issued, edit: Edit) -> bytes:
    """Return the key store after an edit of the PFX."""
    return edited(key_store(issued), (edit,), signed=True)


class _Sealer:
    """Encrypts the parts of one file, and adds its MAC (RFC 7292, 4 and 5)."""

    def __init__(
        self, passphrase: bytes | None, protection: Protection, iterations: int = _ITERATIONS
    ) -> None:
        self._passphrase, self._protection, self._iterations = passphrase, protection, iterations
        self._salt = token_bytes(16)
        self._digest = "sha256" if protection is Protection.AES else "sha1"

    def contents(self, safe_contents: bytes) -> bytes:
        """Return a ContentInfo with encrypted SafeContents."""
        if self._passphrase is None:
            return _content(safe_contents)
        algorithm, sealed = self._encrypt(
            safe_contents, _RC2_40 if self._protection is Protection.RC2 else _3DES
        )
        content = der.sequence(der.oid(_DATA), algorithm, der.tlv(0x80, sealed))
        return der.sequence(der.oid(_ENCRYPTED_DATA), der.explicit(0, der.sequence(der.integer(0), content)))

    def key_bag(self, key: bytes, attributes: Sequence[bytes]) -> bytes:
        """Return a SafeBag with a private key."""
        if self._passphrase is None:
            return _bag(_KEY_BAG, key, attributes)
        algorithm, sealed = self._encrypt(key, _3DES)
        return _bag(_SHROUDED_KEY_BAG, der.sequence(algorithm, der.octet_string(sealed)), attributes)

    def file(self, parts: Sequence[bytes]) -> bytes:
        """Return a PFX with a MAC."""
        safe = der.sequence(*parts)
        salt = token_bytes(8)
        size = {"sha1": 20, "sha256": 32}[self._digest]
        secret = pkcs12_derived(self._passphrase or b"", salt, FOR_MAC, self._digest, _MAC_ITERATIONS, size)
        algorithm = der.sequence(der.oid(_DIGESTS[self._digest]), der.null())
        value = der.octet_string(hmac.digest(secret, safe, self._digest))
        mac = der.sequence(
            der.sequence(algorithm, value), der.octet_string(salt), der.integer(_MAC_ITERATIONS)
        )
        return der.sequence(der.integer(3), _content(safe), mac)

    def _encrypt(self, data: bytes, old_scheme: str) -> tuple[bytes, bytes]:
        assert self._passphrase is not None
        if self._protection is Protection.AES:
            random = self._salt + token_bytes(16)
            return encrypt_pbes2(data, self._passphrase, random, self._iterations)
        salt = token_bytes(8)
        return encrypt_pkcs12(old_scheme, data, self._passphrase, salt, _MAC_ITERATIONS)


def _content(data: bytes) -> bytes:
    """Return a ContentInfo of type data."""
    return der.sequence(der.oid(_DATA), der.explicit(0, der.octet_string(data)))


def _bag(kind: str, value: bytes, attributes: Sequence[bytes]) -> bytes:
    return der.sequence(
        der.oid(kind), der.explicit(0, value), *((der.set_of(*attributes),) if attributes else ())
    )


def _certificate_bag(certificate: bytes, attributes: Sequence[bytes]) -> bytes:
    value = der.sequence(der.oid(_X509_CERTIFICATE), der.explicit(0, der.octet_string(certificate)))
    return _bag(_CERTIFICATE_BAG, value, attributes)


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(value))
