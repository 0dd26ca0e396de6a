"""Encodes private keys as PKCS#8, PKCS#1, SEC 1 and OpenSSH, plain or encrypted.

Salts and initialization vectors come from the build's entropy, so that seeded builds are reproducible; no
library accepts them as arguments.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.keys import kind_of, load_private
from pkigen.keys.entropy import Entropy

_AES_256_CBC = "2.16.840.1.101.3.4.1.42"
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
    if passphrase is None:
        return key
    from pkigen.formats.passphrase_encryption import encrypt_pbes2

    random = entropy.read(32, "pkcs8", key.hex())
    algorithm, sealed = encrypt_pbes2(key, passphrase, random, _ITERATIONS)
    return der.sequence(algorithm, der.octet_string(sealed))


def traditional(key: bytes, passphrase: bytes | None, entropy: Entropy) -> bytes:
    """Return the PEM of PKCS#1 (RSA) or SEC 1 (EC); if encrypted, with RFC 1421 headers as OpenSSL does."""
    loaded = load_private(key)
    label = _TRADITIONAL_LABELS[kind_of(loaded).family]
    data = loaded.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    if passphrase is None:
        return pem.encode(label, data)
    from pkigen.formats.passphrase_encryption import bytes_to_key, cbc_encrypted

    vector = entropy.read(16, "traditional", data.hex())
    sealed = cbc_encrypted(_AES_256_CBC, bytes_to_key(passphrase, vector[:8], 32), vector, data)
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
