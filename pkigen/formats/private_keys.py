"""Encodes private keys as PKCS#8, PKCS#1, SEC 1 and OpenSSH, plain or encrypted.

Salts and initialization vectors come from the build's entropy, so that seeded builds are reproducible; no
library accepts them as arguments.
"""

from __future__ import annotations

from hashlib import md5, pbkdf2_hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.keys import kind_of, load_private
from pkigen.keys.entropy import Entropy

_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_HMAC_SHA256, _AES_256_CBC = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42"
_ITERATIONS = 100_000
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_TRADITIONAL_LABELS = {"rsa": "RSA PRIVATE KEY", "ec": "EC PRIVATE KEY"}


def has_traditional(family: str) -> bool:
    """Return whether a traditional format exists for keys of a family."""
    return family in _TRADITIONAL_LABELS


def pkcs8(key: bytes, passphrase: bytes | None, entropy: Entropy) -> bytes:
    """Return the PEM of a PKCS#8 key (RFC 5958), encrypted if ``passphrase`` is set."""
    label = "PRIVATE KEY" if passphrase is None else "ENCRYPTED PRIVATE KEY"
    return pem.encode(label, pkcs8_der(key, passphrase, entropy))


def pkcs8_der(key: bytes, passphrase: bytes | None, entropy: Entropy) -> bytes:
    """Return a PKCS#8 key unchanged, or its EncryptedPrivateKeyInfo if ``passphrase`` is set."""
    return key if passphrase is None else _encrypted(key, passphrase, entropy)


def traditional(key: bytes, passphrase: bytes | None, entropy: Entropy) -> bytes:
    """Return the PEM of PKCS#1 (RSA) or SEC 1 (EC); if encrypted, with RFC 1421 headers as OpenSSL does."""
    loaded = load_private(key)
    label = _TRADITIONAL_LABELS[kind_of(loaded).family]
    data = loaded.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    if passphrase is None:
        return pem.encode(label, data)
    vector = entropy.read(16, "traditional", data.hex())
    sealed = _aes_256_cbc(_bytes_to_key(passphrase, vector[:8]), vector, data)
    info = ("DEK-Info", f"AES-256-CBC,{vector.hex().upper()}")
    return pem.encode(label, sealed, (("Proc-Type", "4,ENCRYPTED"), info))


def openssh(key: bytes, entropy: Entropy) -> bytes:
    """Return the PEM of OpenSSH's format (openssh/PROTOCOL.key), not encrypted.

    Raises ValueError for kinds of keys that OpenSSH does not support.

    cryptography writes two equal random check integers, with which OpenSSH verifies a passphrase; they are
    replaced by reproducible ones.
    """
    text = load_private(key).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    data = bytearray(next(pem.blocks(text)).data)
    position = len(_OPENSSH_MAGIC)
    for _ in range(3):  # cipher, key derivation, its options
        position = _after_string(data, position)
    position = _after_string(data, position + 4) + 4  # the count of keys, the public key, a length
    data[position : position + 8] = 2 * entropy.read(4, "openssh", key.hex())
    return pem.encode("OPENSSH PRIVATE KEY", bytes(data))


def _after_string(data: bytearray, position: int) -> int:
    return position + 4 + int.from_bytes(data[position : position + 4], "big")


def _encrypted(key: bytes, passphrase: bytes, entropy: Entropy) -> bytes:
    """Return EncryptedPrivateKeyInfo with PBES2 (RFC 8018, section 6.2): PBKDF2-HMAC-SHA256, AES-256-CBC."""
    random = entropy.read(32, "pkcs8", key.hex())
    salt, vector = random[:16], random[16:]
    secret = pbkdf2_hmac("sha256", passphrase, salt, _ITERATIONS, 32)
    derivation = der.sequence(
        der.oid(_PBKDF2),
        der.sequence(
            der.octet_string(salt),
            der.integer(_ITERATIONS),
            der.sequence(der.oid(_HMAC_SHA256), der.null()),
        ),
    )
    cipher = der.sequence(der.oid(_AES_256_CBC), der.octet_string(vector))
    algorithm = der.sequence(der.oid(_PBES2), der.sequence(derivation, cipher))
    return der.sequence(algorithm, der.octet_string(_aes_256_cbc(secret, vector, key)))


def _aes_256_cbc(secret: bytes, vector: bytes, data: bytes) -> bytes:
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(secret), modes.CBC(vector)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def _bytes_to_key(passphrase: bytes, salt: bytes) -> bytes:
    """Return EVP_BytesToKey with MD5 and one round: weak, but the format requires it."""
    derived = block = b""
    while len(derived) < 32:
        block = md5(block + passphrase + salt, usedforsecurity=False).digest()
        derived += block
    return derived[:32]
