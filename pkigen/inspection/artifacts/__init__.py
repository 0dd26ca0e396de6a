"""Reads certificates, keys, requests and CRLs from files of any source; the content determines the kind.

A file is read once, up to a size limit, and becomes a tuple of artifacts. A damaged artifact has a
``problem``, and does not prevent reading the others.
"""

from pkigen.inspection.artifacts.artifact import (
    Artifact,
    Encoding,
    Kind,
    Source,
)
from pkigen.inspection.artifacts.keys import KeyFile, open_key
from pkigen.inspection.artifacts.passphrases import read_passphrase
from pkigen.inspection.artifacts.read import FILE_BYTES, file_mode, read, read_path

__all__ = [
    "FILE_BYTES",
    "Artifact",
    "Encoding",
    "KeyFile",
    "Kind",
    "Source",
    "file_mode",
    "open_key",
    "read",
    "read_passphrase",
    "read_path",
]
