"""Keys and certificates that an environment has, read back from its files."""

from __future__ import annotations

from pathlib import Path

from pkigen.environment.build.reissue_reasons import certificate_paths
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.model import Entity


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
