"""Reads private keys from PEM blocks and DER; the content determines the format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from cryptography.exceptions import UnsupportedAlgorithm

from pkigen.asn1 import der
from pkigen.errors import InputError, panics_as_errors
from pkigen.formats import pem
from pkigen.formats.kdf_budget import KdfBudget
from pkigen.formats.passphrase_encryption import WrongPassphrase, decrypt, decrypt_pem, passphrase_forms
from pkigen.formats.pem import Block
from pkigen.keys import PrivateKey, kind_of, load_pkcs8
from pkigen.keys.private_key_info import private_key_info
from pkigen.x509 import Malformed

ENCRYPTED = "ENCRYPTED PRIVATE KEY"


def read_private_key(data: bytes, passphrase: bytes | None, *, ours: bool = False) -> bytes:
    """Return the private key in a PEM or DER file as PKCS#8 DER; InputError contains the reason if it cannot.

    A passphrase is ignored if the key is not encrypted. ``ours`` skips the check of an RSA key's numbers
    (40 ms), for files that pkigen wrote.
    """
    block = next((block for block in pem.scan(data) if block.label.endswith("PRIVATE KEY")), None)
    block = block or Block(private_key_label(data), data)
    if block.problem:
        raise InputError(f"the key cannot be read: {block.problem}")
    if not block.label:
        raise InputError("the key cannot be read: the file is not a private key")
    return usable_key(open_block(block, passphrase), check=not ours)


def usable_key(pkcs8: bytes, *, check: bool = True) -> bytes:
    """Return a PKCS#8 key if pkigen can sign with it, or raise InputError; ``check`` checks RSA's numbers."""
    try:
        with panics_as_errors():
            key = load_pkcs8(pkcs8, check=check)
        if not isinstance(key, PrivateKey):
            raise InputError("this kind of key is not supported")
        kind_of(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError("the key cannot be used: pkigen does not support its kind") from error
    return pkcs8


def open_block(block: Block, passphrase: bytes | None, budget: KdfBudget | None = None) -> bytes:
    """Return the key in a PEM block, or in DER as a block with its label, as PKCS#8; InputError if it cannot.

    Raises WrongPassphrase and UnsupportedCipher among these errors. ``budget`` limits the key derivation for
    a file of several keys.
    """
    budget = budget or KdfBudget()
    headers = {name.lower(): value for name, value in block.headers}
    try:
        if block.label == ENCRYPTED:
            algorithm, sealed = der.children(block.data)
            decrypt_with = partial(decrypt, algorithm, der.contents(sealed), budget=budget)
            return _decrypted(block, passphrase, decrypt_with)
        if "dek-info" in headers:
            return _decrypted(block, passphrase, partial(decrypt_pem, headers["dek-info"], block.data))
        return private_key_info(block.label, block.data)
    except ValueError as error:
        raise InputError("the key cannot be read: the file is not a private key") from error


def _decrypted(block: Block, passphrase: bytes | None, decrypt: Callable[[bytes], bytes]) -> bytes:
    if passphrase is None:
        raise InputError("the key is encrypted, and no passphrase was given")
    for form in passphrase_forms(passphrase):
        with suppress(WrongPassphrase, Malformed):
            return private_key_info(block.label, decrypt(form))
    raise WrongPassphrase("the passphrase is wrong, or the file is damaged")


def private_key_label(data: bytes) -> str:
    """Return the PEM label for a private key in DER, judged by its structure; "" if it is none."""
    try:
        parts = der.children(data) if data[:1] == b"\x30" else []
    except ValueError:
        return ""
    shape = bytes(part[0] for part in parts[:9])
    if shape[:3] == b"\x02\x30\x04":
        return "PRIVATE KEY"
    if shape == b"\x30\x04":
        return ENCRYPTED
    if shape == b"\x02" * 9:
        return "RSA PRIVATE KEY"
    if shape == b"\x02" * 6:
        return "DSA PRIVATE KEY"
    if shape[:2] == b"\x02\x04" and parts[0] == b"\x02\x01\x01":
        return "EC PRIVATE KEY"
    return ""
