"""The options and the result of a conversion."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Target(StrEnum):
    """The output format."""

    APPLIANCE = "appliance"
    CRT = "crt"
    KEY = "key"
    PEM = "pem"
    DER = "der"
    P12 = "p12"
    P7B = "p7b"
    JKS = "jks"


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """How to convert.

    ``out`` is a file, a directory (an existing one, or with a trailing slash), or the base name of several
    files; "" is the name of the first source in the current directory. ``passphrases`` are tried on
    encrypted sources; ``new_passphrase`` encrypts the output (None: unencrypted). ``key_format`` is pkcs8 or
    traditional. An ``alias`` of "" is the friendly name in the source, or the name of the file.
    """

    to: Target = Target.APPLIANCE
    out: str = ""
    force: bool = False
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    new_passphrase: bytes | None = field(default=None, repr=False)
    key_format: str = "pkcs8"
    alias: str = ""
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A written file, and a description of its content."""

    path: Path
    holds: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """The written files, and notes for the user."""

    written: tuple[WrittenFile, ...]
    notes: tuple[str, ...]
