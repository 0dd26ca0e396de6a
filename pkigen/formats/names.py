"""File names of an entity's files. Imports nothing heavy."""

from __future__ import annotations

from pkigen.model import Entity

RENAME = "rename"
"""The alteration that gives a file another name, or another extension if its argument begins with a dot."""


def file_name(entity: Entity, role: str) -> str:
    """Return the name of an entity's file; ``role`` is certificate, key, chain or passphrase.

    A fault can change it.
    """
    name = {
        "certificate": f"{entity.name}.crt",
        "key": f"{entity.name}.key",
        "chain": "chain.pem",
        "passphrase": f"{entity.name}.passphrase",
    }[role]
    for alteration in entity.output.alterations:
        if alteration.file == role and alteration.how == RENAME:
            name = renamed(name, alteration.argument)
    return name


def renamed(name: str, argument: str) -> str:
    """Return the name of a file that RENAME changes."""
    return name.rpartition(".")[0] + argument if argument.startswith(".") else argument
