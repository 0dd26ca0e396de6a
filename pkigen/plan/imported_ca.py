"""Reads authorities from files: their certificate, the certificates above it, and their key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.errors import InputError
from pkigen.model import ImportedCA
from pkigen.x509 import Certificate, Malformed

if TYPE_CHECKING:
    from pkigen.profile import ImportedCASpec

_RSA_PSS = "1.2.840.113549.1.1.10"


def read(spec: ImportedCASpec) -> ImportedCA:
    """Read the authority in the files that a profile names; raise InputError for files that do not match."""
    from pkigen.formats.read import read_certificates, read_private_key
    from pkigen.keys import load_private, public_key_info

    first, *others = read_certificates(_bytes(spec.certificate))
    chain = read_certificates(_bytes(spec.chain)) if spec.chain else tuple(others)
    chain = tuple(other for other in chain if other != first)
    if spec.key is None:
        return ImportedCA(first, chain, None)
    _check_can_issue(first, spec.certificate)
    key = read_private_key(_bytes(spec.key), spec.passphrase)
    if public_key_info(load_private(key)) != Certificate(first).subject_public_key_info:
        raise InputError(f"the key in {spec.key} does not belong to the certificate in {spec.certificate}")
    return ImportedCA(first, chain, key)


def _check_can_issue(certificate: bytes, path: Path) -> None:
    """Refuse a certificate that no validator accepts as an issuer (RFC 5280, 6.1.4 (k) and (n))."""
    parsed = Certificate(certificate)
    if parsed.public_key.algorithm == _RSA_PSS:
        raise InputError(f"the certificate in {path} is for RSA-PSS alone, which is not supported")
    try:
        constraints, usage = parsed.extensions.basic_constraints, parsed.extensions.key_usage
    except Malformed as error:
        raise InputError(f"the certificate in {path} has extensions that cannot be read: {error}") from error
    if constraints is None or not constraints.ca:
        raise InputError(f"the certificate in {path} is not a CA's: its basic constraints do not say so")
    if usage is not None and "keyCertSign" not in usage:
        raise InputError(f"the certificate in {path} may not issue: its key usage lacks keyCertSign")


def kind_of_certificate(certificate: bytes) -> str:
    """Return the name of the key kind of a certificate."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    from pkigen.keys import kind_of_public

    return kind_of_public(load_der_public_key(Certificate(certificate).subject_public_key_info)).name


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
