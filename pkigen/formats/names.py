"""Names of output formats and of an entity's files. Imports nothing heavy."""

from __future__ import annotations

from pkigen.keys.kinds import KeyKind
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


FORMATS = {
    "fullchain": "fullchain.pem: the certificate and its intermediates, as TLS servers want it",
    "bundle": "NAME.bundle.pem: key, certificate and intermediates in one file, as HAProxy wants it",
    "der": "NAME.der: the certificate in DER",
    "key-der": "NAME.key.der: the key as PKCS#8 in DER, under the passphrase if there is one",
    "key-traditional": "NAME.traditional.key: the key as PKCS#1 or SEC 1 in PEM",
    "pkcs12": "NAME.p12: key, certificate and chain for Windows and Java (AES-256, SHA-256)",
    "pkcs12-legacy": "NAME.legacy.p12: the same for readers from before 2018 (3DES, SHA-1)",
    "truststore": "truststore.p12: the trust anchor as a Java trust store",
}
"""Format name -> the file it gives and what that is for."""


def incompatible(kind: KeyKind, name: str) -> str | None:
    """Why a key of a kind cannot be written in a format; None when it can."""
    if name in ("pkcs12", "pkcs12-legacy") and kind.family in ("ml-dsa", "ml-kem"):
        return f"PKCS#12 cannot hold a key of kind {kind.name}"
    if name == "key-traditional" and kind.family not in ("rsa", "ec"):
        return f"keys of kind {kind.name} have no traditional format"
    return None
