"""What is asked of a conversion, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Target(StrEnum):
    """What the sources become."""

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

    ``out`` is a file, a folder (it is one, or ends with a slash), or the base name of several files;
    "" is the first source's name in the current folder. ``passphrases`` are tried on what is under
    one; ``new_passphrase`` is the output's, None leaves it without. ``key_format`` is pkcs8 or
    traditional. An ``alias`` of "" is the name that the source gives, or that of the file.
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
    """A file that was written, and what it holds in words."""

    path: Path
    holds: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """The files that were written, and what the user should know of how they came about."""

    written: tuple[WrittenFile, ...]
    notes: tuple[str, ...]
