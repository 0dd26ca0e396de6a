"""Loads the keys and certificates of a built environment from its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pkigen.environment.build.reissue_reasons import certificate_paths
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.read import read_private_key
from pkigen.issue import Signer, signer
from pkigen.keys import PrivateKey, load_private
from pkigen.model import Entity, Role
from pkigen.x509 import Certificate, Malformed


def read_key(folder: Path, entity: Entity) -> bytes | None:
    """An entity's key (PKCS#8); None when it is not there or does not open with its passphrase."""
    from pkigen.formats.read import read_private_key

    try:
        data = (folder / entity.id / f"{entity.name}.key").read_bytes()
        return read_private_key(data, entity.output.passphrase, ours=True)
    except (OSError, InputError):
        return None


def read_certificates(folder: Path, entity: Entity) -> tuple[bytes, ...]:
    """An entity's certificates in DER, the main one first."""
    paths = certificate_paths(entity)
    return tuple(next(pem.blocks((folder / path).read_bytes())).data for path in paths)


@dataclass(frozen=True, slots=True)
class SigningAuthority:
    """Its certificate in DER, and its key to sign with."""

    certificate: bytes
    signer: Signer


def open_authority(folder: Path, name: str, passphrases: Sequence[bytes] = ()) -> SigningAuthority:
    """An authority by its name; InputError when its files are not there, or no passphrase opens its key."""
    place = folder / Role.AUTHORITY / name
    try:
        held = next(pem.blocks((place / f"{name}.crt").read_bytes())).data
        data = (place / f"{name}.key").read_bytes()
    except (OSError, StopIteration) as error:
        raise InputError(f"{name}: its certificate or its key is not in {place}; build it anew") from error
    try:
        identifier = Certificate(held).extensions.subject_key_identifier
    except Malformed:
        identifier = None
    return SigningAuthority(held, signer(_pkcs8(data, name, passphrases), identifier))


def open_key(data: bytes, name: str, passphrases: Sequence[bytes] = ()) -> PrivateKey:
    """The private key in a file of an entity's; InputError when no passphrase opens it."""
    return load_private(_pkcs8(data, name, passphrases))


def _pkcs8(data: bytes, name: str, passphrases: Sequence[bytes]) -> bytes:
    """PKCS#8; the file may be open although passphrases are given."""
    problem: InputError | None = None
    for passphrase in (None, *passphrases):
        try:
            return read_private_key(data, passphrase, ours=True)
        except InputError as error:
            problem = problem or error
    words = "no passphrase that was given opens its key" if passphrases else f"its key: {problem}"
    raise InputError(f"{name}: {words}; give it with --passphrase-file")
