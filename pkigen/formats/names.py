"""File names of an entity's files. Imports nothing heavy."""

from __future__ import annotations

from pkigen.model import Entity

RENAME = "rename"
"""The alteration that gives a file another extension."""


def file_name(entity: Entity, role: str) -> str:
    """Return the name of an entity's file; ``role`` is certificate, key, chain or passphrase.

    A fault can change the extension.
    """
    name = {
        "certificate": f"{entity.name}.crt",
        "key": f"{entity.name}.key",
        "chain": "chain.pem",
        "passphrase": f"{entity.name}.passphrase",
    }[role]
    for alteration in entity.output.alterations:
        if alteration.file == role and alteration.how == RENAME:
            name = name.rpartition(".")[0] + alteration.argument
    return name
