"""Reads certificates and keys from PEM or DER files; the content determines the format."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from pkigen.asn1 import der
from pkigen.errors import InputError, panics_as_errors
from pkigen.formats import pem
from pkigen.keys import PrivateKey, kind_of, to_pkcs8

_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates in a PEM or DER file in order, as DER; InputError if there is none."""
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate

    try:
        certificates = [b.data for b in pem.blocks(data) if b.label in _CERTIFICATE_LABELS]
    except ValueError as error:
        raise InputError(f"not a readable PEM file: {error}") from error
    if not certificates:
        certificates = [data]
    for certificate in certificates:
        try:
            load_der_x509_certificate(certificate)
            der.children(certificate)
        except (ValueError, InvalidVersion) as error:
            raise InputError("it contains no certificate in PEM or DER") from error
    return tuple(certificates)


def read_private_key(data: bytes, passphrase: bytes | None, *, ours: bool = False) -> bytes:
    """Return the private key in a PEM or DER file as PKCS#8 DER; InputError contains the reason if it cannot.

    A passphrase is ignored if the key is not encrypted. ``ours`` skips the check of an RSA key's numbers
    (40 ms), for files that pkigen wrote.
    """
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        with panics_as_errors():
            key = load(data, passphrase, unsafe_skip_rsa_key_validation=ours)
    except TypeError:
        # cryptography raises TypeError if the passphrase is missing, or if it is not needed.
        if passphrase is None:
            raise InputError("the key is encrypted, and no passphrase was given") from None
        return read_private_key(data, None, ours=ours)
    except ValueError as error:
        reason = (
            "the passphrase is wrong, or the file is not a key"
            if passphrase
            else "the file is not a private key"
        )
        raise InputError(f"the key cannot be read: {reason}") from error
    except UnsupportedAlgorithm as error:
        raise InputError("this kind of key is not supported") from error
    if not isinstance(key, PrivateKey):
        raise InputError("this kind of key is not supported")
    try:
        kind_of(key)
    except ValueError as error:
        raise InputError(f"the key cannot be used: {error}") from error
    return to_pkcs8(key)
