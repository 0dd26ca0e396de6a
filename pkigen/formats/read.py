"""Certificates and keys out of files that others made; told apart by what is in them."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from pkigen.asn1 import der
from pkigen.errors import InputError, panics_as_errors
from pkigen.formats import pem
from pkigen.keys import PrivateKey, kind_of, to_pkcs8

_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates in a PEM or DER file, in DER and in order; InputError when there is none."""
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate

    try:
        found = [b.data for b in pem.blocks(data) if b.label in _CERTIFICATE_LABELS]
    except ValueError as error:
        raise InputError(f"not a readable PEM file: {error}") from error
    if not found:
        found = [data]
    for certificate in found:
        try:
            load_der_x509_certificate(certificate)
            der.children(certificate)
        except (ValueError, InvalidVersion) as error:
            raise InputError("there is no certificate in it, in PEM or DER") from error
    return tuple(found)


def read_private_key(data: bytes, passphrase: bytes | None, *, ours: bool = False) -> bytes:
    """The private key in a PEM or DER file as PKCS#8 DER; InputError says why it cannot be had.

    A passphrase that is not needed is passed over. ``ours`` says that the file is known to be as we
    wrote it, which saves checking an RSA key's numbers (40 ms).
    """
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        with panics_as_errors():
            key = load(data, passphrase, unsafe_skip_rsa_key_validation=ours)
    except TypeError:
        # cryptography's word for a passphrase that is missing, or that is not needed.
        if passphrase is None:
            raise InputError("the key is under a passphrase, and none was given") from None
        return read_private_key(data, None, ours=ours)
    except ValueError as error:
        reason = "the passphrase is wrong, or it is no key" if passphrase else "it is not a private key"
        raise InputError(f"the key cannot be read: {reason}") from error
    except UnsupportedAlgorithm as error:
        raise InputError("the key is of a kind that is not supported") from error
    if not isinstance(key, PrivateKey):
        raise InputError("the key is of a kind that is not supported")
    try:
        kind_of(key)
    except ValueError as error:
        raise InputError(f"the key cannot be used: {error}") from error
    return to_pkcs8(key)
