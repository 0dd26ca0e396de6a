"""File names of an entity's files. Imports nothing heavy."""

from __future__ import annotations

from pkigen.model import ISSUED_CHAIN, Entity

ROLES = {
    "certificate": "NAME.crt",
    "key": "NAME.key",
    "chain": "chain.pem",
    "passphrase": "NAME.passphrase",
    ISSUED_CHAIN: "issued-chain.pem",
}
"""The name of each file; NAME stands for the entity's name."""

RENAME = "rename"
"""The alteration that gives a file another name, or another extension if its argument begins with a dot."""


def file_name(entity: Entity, role: str) -> str:
    """Return the name of an entity's file; ``role`` is a key of ROLES.

    A fault can change it.
    """
    name = ROLES[role].replace("NAME", entity.name)
    for alteration in entity.output.alterations:
        if alteration.file == role and alteration.how == RENAME:
            name = renamed(name, alteration.argument)
    return name


def renamed(name: str, argument: str) -> str:
    """Return the name of a file that RENAME changes."""
    return name.rpartition(".")[0] + argument if argument.startswith(".") else argument
