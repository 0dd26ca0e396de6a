"""Authorities that come from files: their certificate, those above it, their key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.certificate import subject_public_key_info
from pkigen.errors import InputError
from pkigen.model import Brought

if TYPE_CHECKING:
    from pkigen.profile import BroughtSpec


def read(spec: BroughtSpec) -> Brought:
    """The authority in the files a profile names; what does not fit together raises InputError."""
    from pkigen.formats.reading import read_certificates, read_private_key
    from pkigen.keys import load_private, public_key_info

    first, *others = read_certificates(_bytes(spec.certificate))
    chain = read_certificates(_bytes(spec.chain)) if spec.chain else tuple(others)
    chain = tuple(found for found in chain if found != first)
    if spec.key is None:
        return Brought(first, chain, None)
    key = read_private_key(_bytes(spec.key), spec.passphrase)
    if public_key_info(load_private(key)) != subject_public_key_info(first):
        raise InputError(f"the key in {spec.key} does not belong to the certificate in {spec.certificate}")
    return Brought(first, chain, key)


def kind_of_certificate(certificate: bytes) -> str:
    """The name of a certificate's kind of key."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    from pkigen.keys import kind_of_public

    return kind_of_public(load_der_public_key(subject_public_key_info(certificate))).name


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
