"""PKCS#12 files (RFC 7292) taken apart and put together anew, for what libraries do not write."""

from __future__ import annotations

import hashlib
import hmac

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.formats import containers, private_keys, rc2
from pkigen.keys.entropy import Entropy
from pkigen.model import Edit, Issued, Surgery

_DATA, _ENCRYPTED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
_RC2_40_CBC = "1.2.840.113549.1.12.1.6"
_DIGESTS = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}
_SAFE = (1, 1, 0, 0)
_CERTIFICATES, _KEY = (*_SAFE, 0), (*_SAFE, 1)
"""The AuthenticatedSafe in a PFX (4), and the ContentInfos in it as the library writes them."""
_ENCRYPTED_KEY = (*_KEY, 1, 0, 0, 0, 1, 0)
"""The EncryptedPrivateKeyInfo in the only bag of the key's ContentInfo (4.2.2)."""
_DIGEST = (2, 0, 1)
_ROUNDS = 2048
_FOR_KEY, _FOR_VECTOR, _FOR_MAC = 1, 2, 3
_BLOCK = 64


def with_other_key(issued: Issued, key: bytes, entropy: Entropy) -> bytes:
    """The key store of an entity with another key (PKCS#8) in the place of its own."""
    passphrase = issued.entity.output.pkcs12_passphrase
    encrypted = private_keys.pkcs8_der(key, passphrase, entropy)
    return _changed(containers.key_store(issued), _ENCRYPTED_KEY, encrypted, passphrase)


def with_rc2(issued: Issued, entropy: Entropy) -> bytes:
    """The key store as Windows and OpenSSL 1 wrote it.

    Certificates under RC2 with a key of 40 bits, the key under 3DES, SHA-1 for the MAC.
    """
    passphrase = issued.entity.output.pkcs12_passphrase
    salt = entropy.read(8, "pkcs12", issued.certificates[0].hex())
    plain = containers.serialized(issued, containers.encryption(None, legacy=False))
    certificates = _under_rc2(_certificate_bags(plain), passphrase, salt)
    return _changed(containers.key_store(issued, legacy=True), _CERTIFICATES, certificates, passphrase)


def with_bad_mac(issued: Issued) -> bytes:
    """The key store with one bit of its MAC flipped."""
    return edited(containers.key_store(issued), (Edit(_DIGEST, Surgery.FLIP),), signed=True)


def _changed(store: bytes, path: tuple[int, ...], data: bytes, passphrase: bytes) -> bytes:
    """A store with other octets at a place, under the MAC that then belongs to it (appendix A)."""
    store = edited(store, (Edit(path, Surgery.REPLACE, data),), signed=True)
    _, content, mac = der.children(store)
    digest_info, salt, rounds = der.children(mac)
    algorithm, _ = der.children(digest_info)
    name = _DIGESTS[der.dotted(der.children(algorithm)[0])]
    count = int.from_bytes(der.contents(rounds), "big")
    secret = _derived(passphrase, der.contents(salt), _FOR_MAC, name, count)
    value = der.octet_string(hmac.digest(secret, _wrapped(content), name))
    return edited(store, (Edit(_DIGEST, Surgery.REPLACE, value),), signed=True)


def _certificate_bags(plain: bytes) -> bytes:
    """SafeContents of the certificates alone, with their names, out of a store that is not encrypted."""
    (content,) = der.children(_wrapped(der.children(plain)[1]))
    bags = der.children(_wrapped(content))
    return der.sequence(*(bag for bag in bags if der.dotted(der.children(bag)[0]) == _CERTIFICATE_BAG))


def _wrapped(content: bytes) -> bytes:
    """What a ContentInfo of type data holds."""
    return der.contents(der.children(der.children(content)[1])[0])


def _under_rc2(data: bytes, passphrase: bytes, salt: bytes) -> bytes:
    """ContentInfo with EncryptedData (RFC 2315, 13)."""
    key = _derived(passphrase, salt, _FOR_KEY, "sha1", _ROUNDS)[:5]
    vector = _derived(passphrase, salt, _FOR_VECTOR, "sha1", _ROUNDS)[:8]
    parameters = der.sequence(der.octet_string(salt), der.integer(_ROUNDS))
    held = der.sequence(
        der.oid(_DATA),
        der.sequence(der.oid(_RC2_40_CBC), parameters),
        der.tlv(0x80, rc2.encrypt(key, 40, vector, data)),
    )
    encrypted = der.sequence(der.integer(0), held)
    return der.sequence(der.oid(_ENCRYPTED_DATA), der.explicit(0, encrypted))


def _derived(passphrase: bytes, salt: bytes, purpose: int, name: str, rounds: int) -> bytes:
    """As many octets as a digest has, out of a passphrase (B.2)."""
    text = passphrase.decode("utf-8").encode("utf-16-be") + b"\0\0"
    digest = bytes((purpose,)) * _BLOCK + _filled(salt) + _filled(text)
    for _ in range(rounds):
        digest = hashlib.new(name, digest, usedforsecurity=False).digest()
    return digest


def _filled(data: bytes) -> bytes:
    """Repeated up to whole blocks."""
    size = -(-len(data) // _BLOCK) * _BLOCK
    return (data * (size // len(data) + 1))[:size]
