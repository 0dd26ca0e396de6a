"""Loads the keys and certificates of a built environment from its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.names import file_name
from pkigen.issue import Signer, signer
from pkigen.keys import PrivateKey, load_private
from pkigen.model import Entity, Role
from pkigen.x509 import Certificate, Malformed


def certificate_paths(entity: Entity) -> tuple[str, ...]:
    """Return the paths of an entity's certificate files, relative to the environment, main one first."""
    cross = entity.certificates[1:]
    names = [file_name(entity, "certificate")]
    names += [f"{entity.name}.cross-{plan.issuer_id.partition('/')[2]}.crt" for plan in cross]
    return tuple(f"{entity.id}/{name}" for name in names)


def read_certificates(folder: Path, entity: Entity) -> tuple[bytes, ...]:
    """Return an entity's certificates in DER, the main one first."""
    return tuple(first_certificate((folder / path).read_bytes()) for path in certificate_paths(entity))


def first_certificate(data: bytes) -> bytes:
    """Return the DER of the first block of a PEM file; StopIteration if there is none."""
    return next(pem.blocks(data)).data


def read_key(folder: Path, entity: Entity) -> bytes | None:
    """Return an entity's key (PKCS#8); None if it is missing or its passphrase does not decrypt it."""
    from pkigen.formats.read import read_private_key

    try:
        data = (folder / entity.id / f"{entity.name}.key").read_bytes()
        return read_private_key(data, entity.output.passphrase, ours=True)
    except (OSError, InputError):
        return None


@dataclass(frozen=True, slots=True)
class SigningAuthority:
    """An authority's certificate (DER) and its signing key."""

    certificate: bytes
    signer: Signer


def open_authority(folder: Path, name: str, passphrases: Sequence[bytes] = ()) -> SigningAuthority:
    """Load an authority by name; InputError if its files are missing or no passphrase decrypts its key."""
    directory = folder / Role.AUTHORITY / name
    try:
        certificate = first_certificate((directory / f"{name}.crt").read_bytes())
        data = (directory / f"{name}.key").read_bytes()
    except (OSError, StopIteration) as error:
        message = f"{name}: {directory} does not contain its certificate and key; build the environment again"
        raise InputError(message) from error
    key = _decrypted(data, name, passphrases)
    return SigningAuthority(certificate, signer(key, subject_key_identifier(certificate)))


def subject_key_identifier(certificate: bytes) -> bytes | None:
    """Return the key identifier in a certificate; None if a faulty certificate cannot be parsed."""
    try:
        return Certificate(certificate).extensions.subject_key_identifier
    except Malformed:
        return None


def open_key(data: bytes, name: str, passphrases: Sequence[bytes] = ()) -> PrivateKey:
    """Load the private key in the key file of an entity; InputError if no passphrase decrypts it."""
    return load_private(_decrypted(data, name, passphrases))


def is_locked(path: Path, passphrases: Sequence[bytes] = ()) -> bool:
    """Return whether a key file is encrypted (PEM) and none of the passphrases decrypts it."""
    try:
        data = path.read_bytes()
        if b"ENCRYPTED" in data:
            _decrypted(data, path.stem, passphrases)
    except OSError:
        return False
    except InputError:
        return True
    return False


def _decrypted(data: bytes, name: str, passphrases: Sequence[bytes]) -> bytes:
    """Return PKCS#8; the file may be unencrypted although passphrases are given."""
    from pkigen.formats.read import read_private_key

    problem: InputError | None = None
    for passphrase in (None, *passphrases):
        try:
            return read_private_key(data, passphrase, ours=True)
        except InputError as error:
            problem = problem or error
    reason = "none of the passphrases decrypts its key" if passphrases else f"its key: {problem}"
    raise InputError(f"{name}: {reason}; pass it with --passphrase-file")
