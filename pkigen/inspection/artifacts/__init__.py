"""Certificates, keys, requests, CRLs out of files of any maker; told apart by what is in them.

A file is read once, bounded, and becomes a tuple of artefacts, damaged ones included: what is wrong
with one of them is in its ``problem``, and its neighbours are read all the same.
"""

from pkigen.inspection.artifacts.artifact import (
    Artifact,
    Encoding,
    Kind,
    Source,
)
from pkigen.inspection.artifacts.keys import KeyFile, open_key
from pkigen.inspection.artifacts.passphrases import read_passphrase
from pkigen.inspection.artifacts.read import FILE_BYTES, read, read_path

__all__ = [
    "FILE_BYTES",
    "Artifact",
    "Encoding",
    "KeyFile",
    "Kind",
    "Source",
    "open_key",
    "read",
    "read_passphrase",
    "read_path",
]
