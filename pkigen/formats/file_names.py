"""What the three files of an entity are called: certificate, key, chain."""

from __future__ import annotations

from pkigen.model import Entity

RENAME = "rename"


def file_name(entity: Entity, role: str) -> str:
    """The name of the file of a role: certificate, key, chain or passphrase.

    A fault can give a file another ending.
    """
    usual = {
        "certificate": f"{entity.name}.crt",
        "key": f"{entity.name}.key",
        "chain": "chain.pem",
        "passphrase": f"{entity.name}.passphrase",
    }[role]
    for alteration in entity.output.alterations:
        if alteration.file == role and alteration.how == RENAME:
            usual = usual.rpartition(".")[0] + alteration.argument
    return usual
