"""Writes PKCS#12 files (RFC 7292), and edits them into forms that libraries do not write."""

from __future__ import annotations

import hashlib
import hmac
import struct
import warnings
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES
from cryptography.x509 import Certificate, InvalidVersion, load_der_x509_certificate

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.errors import panics_as_errors
from pkigen.formats import private_keys
from pkigen.keys import PKCS12_KEYS, load_private
from pkigen.keys.entropy import Entropy
from pkigen.model import Edit, EditOp, Issued

_ITERATIONS = 20_000
"""Of the key derivation; Java and Windows accept this number, and use no more themselves."""


def key_store(issued: Issued, *, legacy: bool = False) -> bytes:
    """Return key, certificate and chain with the alias and passphrase of the entity's output.

    Uses AES-256 and a SHA-256 MAC; with ``legacy`` 3DES and SHA-1, for readers from before 2018.
    """
    return serialized(issued, encryption(issued.entity.output.pkcs12_passphrase, legacy=legacy))


def serialized(issued: Issued, cipher: KeySerializationEncryption) -> bytes:
    """Return key, certificate and chain; only the key if ``issued`` has no certificate.

    Raises ValueError for content that cryptography does not write into PKCS#12.
    """
    assert issued.key is not None
    key = load_private(issued.key)
    if not isinstance(key, PKCS12_KEYS):
        raise ValueError(f"PKCS#12 cannot hold a key of kind {issued.entity.key}")
    try:
        with warnings.catch_warnings(action="ignore"), panics_as_errors():
            return pkcs12.serialize_key_and_certificates(
                issued.entity.output.alias.encode(),
                key,
                _loaded(issued.certificates[0]) if issued.certificates else None,
                [_loaded(above) for above in issued.chain],
                cipher,
            )
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def trust_store(anchors: Sequence[bytes], alias: str, passphrase: bytes) -> bytes:
    """Return a trust store: certificates with the attribute by which Java recognizes trust anchors."""
    certificates = [
        pkcs12.PKCS12Certificate(_loaded(anchor), f"{alias}-{number}".encode())
        for number, anchor in enumerate(anchors, 1)
    ]
    return pkcs12.serialize_java_truststore(certificates, encryption(passphrase, legacy=False))


def _loaded(der: bytes) -> Certificate:
    """Load a certificate; ValueError for one that cryptography does not load."""
    try:
        return load_der_x509_certificate(der)
    except InvalidVersion as error:
        raise ValueError(str(error)) from error


def encryption(passphrase: bytes | None, *, legacy: bool) -> KeySerializationEncryption:
    """Return AES-256 with a SHA-256 MAC; with ``legacy`` 3DES and SHA-1, for readers from before 2018."""
    if passphrase is None:
        return NoEncryption()
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(_ITERATIONS)
    if legacy:
        builder = builder.key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        return builder.hmac_hash(hashes.SHA1()).build(passphrase)  # noqa: S303  # for old readers
    builder = builder.key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
    return builder.hmac_hash(hashes.SHA256()).build(passphrase)


_PITABLE = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS = (1, 2, 3, 5)
_MIXED_BEFORE_A_MASH = (4, 10)
"""The mixing rounds, of 16, that a mashing round follows."""
_RC2_BLOCK = 8


def encrypt(key: bytes, effective_bits: int, vector: bytes, data: bytes) -> bytes:
    """Return the RC2-CBC ciphertext of ``data`` (RFC 2268), padded as in RFC 8018, section 6.1.1, step 4."""
    words = _expanded(key, effective_bits)
    fill = _RC2_BLOCK - len(data) % _RC2_BLOCK
    data += bytes((fill,)) * fill
    blocks, last = list[bytes](), vector
    for start in range(0, len(data), _RC2_BLOCK):
        mixed = bytes(a ^ b for a, b in zip(data[start : start + _RC2_BLOCK], last, strict=True))
        last = _encrypted(words, mixed)
        blocks.append(last)
    return b"".join(blocks)


def _expanded(key: bytes, effective_bits: int) -> tuple[int, ...]:
    """Expand a key to 64 words (RFC 2268, section 2)."""
    expanded = bytearray(key)
    size = len(key)
    while len(expanded) < 128:
        expanded.append(_PITABLE[(expanded[-1] + expanded[-size]) & 0xFF])
    effective = (effective_bits + 7) // 8
    mask = 0xFF >> (8 * effective - effective_bits)
    expanded[128 - effective] = _PITABLE[expanded[128 - effective] & mask]
    for place in range(127 - effective, -1, -1):
        expanded[place] = _PITABLE[expanded[place + 1] ^ expanded[place + effective]]
    return struct.unpack("<64H", expanded)


def _encrypted(words: tuple[int, ...], block: bytes) -> bytes:
    """Encrypt one block of eight bytes (RFC 2268, section 3)."""
    r = list(struct.unpack("<4H", block))
    for number in range(16):
        for i, rotation in enumerate(_ROTATIONS):
            chosen = (r[i - 1] & r[i - 2]) + (~r[i - 1] & r[i - 3])
            total = (r[i] + words[4 * number + i] + chosen) & 0xFFFF
            r[i] = (total << rotation | total >> (16 - rotation)) & 0xFFFF
        if number in _MIXED_BEFORE_A_MASH:
            for i in range(4):
                r[i] = (r[i] + words[r[i - 1] & 63]) & 0xFFFF
    return struct.pack("<4H", *r)


_DATA, _ENCRYPTED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
_RC2_40_CBC = "1.2.840.113549.1.12.1.6"
_DIGESTS = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}
_SAFE = (1, 1, 0, 0)
_CERTIFICATES, _KEY = (*_SAFE, 0), (*_SAFE, 1)
"""The paths of the AuthenticatedSafe in a PFX (section 4) and of its ContentInfos."""
_ENCRYPTED_KEY = (*_KEY, 1, 0, 0, 0, 1, 0)
"""The path of the EncryptedPrivateKeyInfo in the only bag of the key's ContentInfo (section 4.2.2)."""
_DIGEST = (2, 0, 1)
_ROUNDS = 2048
_FOR_KEY, _FOR_VECTOR, _FOR_MAC = 1, 2, 3
_BLOCK = 64


def with_other_key(issued: Issued, key: bytes, entropy: Entropy) -> bytes:
    """Return the key store of an entity with another key (PKCS#8)."""
    passphrase = issued.entity.output.pkcs12_passphrase
    encrypted = private_keys.pkcs8_der(key, passphrase, entropy)
    return _changed(key_store(issued), _ENCRYPTED_KEY, encrypted, passphrase)


def with_rc2(issued: Issued, entropy: Entropy) -> bytes:
    """Return the key store in the form of old versions of Windows and OpenSSL.

    Certificates are encrypted with RC2-40, the key with 3DES; the MAC uses SHA-1.
    """
    passphrase = issued.entity.output.pkcs12_passphrase
    salt = entropy.read(8, "pkcs12", issued.certificates[0].hex())
    plain = serialized(issued, encryption(None, legacy=False))
    certificates = _under_rc2(_certificate_bags(plain), passphrase, salt)
    return _changed(key_store(issued, legacy=True), _CERTIFICATES, certificates, passphrase)


def with_bad_mac(issued: Issued) -> bytes:
    """Return the key store with one bit of its MAC flipped."""
    return edited(key_store(issued), (Edit(_DIGEST, EditOp.FLIP_LAST_BIT),), signed=True)


def _changed(store: bytes, path: tuple[int, ...], data: bytes, passphrase: bytes) -> bytes:
    """Replace the value at a path of a store and recompute its MAC (appendix A)."""
    store = edited(store, (Edit(path, EditOp.REPLACE, data),), signed=True)
    _, content, mac = der.children(store)
    digest_info, salt, rounds = der.children(mac)
    algorithm, _ = der.children(digest_info)
    name = _DIGESTS[der.dotted(der.children(algorithm)[0])]
    count = int.from_bytes(der.contents(rounds), "big")
    secret = _derived(passphrase, der.contents(salt), _FOR_MAC, name, count)
    value = der.octet_string(hmac.digest(secret, _wrapped(content), name))
    return edited(store, (Edit(_DIGEST, EditOp.REPLACE, value),), signed=True)


def _certificate_bags(plain: bytes) -> bytes:
    """Return the SafeContents of the certificates, with their names, in an unencrypted store."""
    (content,) = der.children(_wrapped(der.children(plain)[1]))
    bags = der.children(_wrapped(content))
    return der.sequence(*(bag for bag in bags if der.dotted(der.children(bag)[0]) == _CERTIFICATE_BAG))


def _wrapped(content: bytes) -> bytes:
    """Return the content of a ContentInfo of type data."""
    return der.contents(der.children(der.children(content)[1])[0])


def _under_rc2(data: bytes, passphrase: bytes, salt: bytes) -> bytes:
    """Return a ContentInfo with EncryptedData (RFC 2315, section 13)."""
    key = _derived(passphrase, salt, _FOR_KEY, "sha1", _ROUNDS)[:5]
    vector = _derived(passphrase, salt, _FOR_VECTOR, "sha1", _ROUNDS)[:8]
    parameters = der.sequence(der.octet_string(salt), der.integer(_ROUNDS))
    encrypted_content = der.sequence(
        der.oid(_DATA),
        der.sequence(der.oid(_RC2_40_CBC), parameters),
        der.tlv(0x80, encrypt(key, 40, vector, data)),
    )
    encrypted = der.sequence(der.integer(0), encrypted_content)
    return der.sequence(der.oid(_ENCRYPTED_DATA), der.explicit(0, encrypted))


def _derived(passphrase: bytes, salt: bytes, purpose: int, name: str, rounds: int) -> bytes:
    """Derive as many bytes from a passphrase as a digest has (appendix B.2)."""
    text = passphrase.decode("utf-8").encode("utf-16-be") + b"\0\0"
    digest = bytes((purpose,)) * _BLOCK + _filled(salt) + _filled(text)
    for _ in range(rounds):
        digest = hashlib.new(name, digest, usedforsecurity=False).digest()
    return digest


def _filled(data: bytes) -> bytes:
    """Repeat the data up to a multiple of the block size."""
    size = -(-len(data) // _BLOCK) * _BLOCK
    return (data * (size // len(data) + 1))[:size]
