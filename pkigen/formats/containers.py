"""PKCS#12 (RFC 7292): key stores for Windows and Java, trust stores for Java."""

from __future__ import annotations

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

from pkigen.keys import PKCS12_KEYS, load_private
from pkigen.model import Issued
from pkigen.panics import panics_as_errors

_ITERATIONS = 20_000
"""Of the key derivation; Java and Windows accept it, and they write as few or fewer themselves."""


def key_store(issued: Issued, *, legacy: bool = False) -> bytes:
    """Key, certificate and chain under the output's alias and passphrase.

    AES-256 and a SHA-256 MAC; ``legacy`` has 3DES and SHA-1 for readers from before 2018.
    """
    return serialized(issued, encryption(issued.entity.output.pkcs12_passphrase, legacy=legacy))


def serialized(issued: Issued, cipher: KeySerializationEncryption) -> bytes:
    """Key, certificate and chain; the key alone where no certificate is given.

    ValueError for what the library does not write into PKCS#12.
    """
    assert issued.key is not None
    key = load_private(issued.key)
    if not isinstance(key, PKCS12_KEYS):
        raise ValueError(f"PKCS#12 holds no key of kind {issued.entity.key}")
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
    """Trusted certificates with the attribute by which Java knows them."""
    certificates = [
        pkcs12.PKCS12Certificate(_loaded(anchor), f"{alias}-{number}".encode())
        for number, anchor in enumerate(anchors, 1)
    ]
    return pkcs12.serialize_java_truststore(certificates, encryption(passphrase, legacy=False))


def _loaded(der: bytes) -> Certificate:
    """A certificate that PKCS#12 can hold; ValueError for one that the library does not read."""
    try:
        return load_der_x509_certificate(der)
    except InvalidVersion as error:
        raise ValueError(str(error)) from error


def encryption(passphrase: bytes | None, *, legacy: bool) -> KeySerializationEncryption:
    """AES-256 and a SHA-256 MAC, or with ``legacy`` 3DES and SHA-1 for readers from before 2018."""
    if passphrase is None:
        return NoEncryption()
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(_ITERATIONS)
    if legacy:
        builder = builder.key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
        return builder.hmac_hash(hashes.SHA1()).build(passphrase)  # noqa: S303  # what old readers know
    builder = builder.key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
    return builder.hmac_hash(hashes.SHA256()).build(passphrase)
