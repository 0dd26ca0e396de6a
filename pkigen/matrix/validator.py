"""The interface of validators: cases, answers, and the Validator protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

Part = Literal["path", "crl", "ocsp", "key", "pkcs12"]
"""Parts of a case: the path with its purpose, the CRLs of the path, the OCSP response, the private
key with the certificate, the PKCS#12 file."""

Capability = Literal["path", "file", "host", "crl", "fetching", "ocsp", "key", "pkcs12", "tls"]
"""What a validator can check: a part, the format of the path's files, the host name, the download
of CRLs over HTTP, the behavior of a TLS server."""

PARTS: tuple[Part, ...] = ("path", "crl", "ocsp", "key", "pkcs12")
CAPABILITIES: dict[Capability, Part] = {
    "path": "path",
    "file": "path",
    "host": "path",
    "crl": "crl",
    "fetching": "crl",
    "ocsp": "ocsp",
    "key": "key",
    "pkcs12": "pkcs12",
    "tls": "path",
}
"""Each capability, with the part that is rejected for its faults."""

SECONDS = 20
"""Timeout in seconds of a program for one case; a timeout counts as a rejection."""

# The directory of an absolute path; URLs do not match.
_FOLDERS = re.compile(r"(?<![\w:/])(?:/[^/\s'\"]+)*/(?=[^/\s'\"])")


@dataclass(frozen=True)
class MatrixCase:
    """The files of one TLS server and the trust anchors of its client, unmodified; any may be malformed.

    ``chain`` contains the CA certificates (PEM), ``issuer`` the first of them, ``anchors`` the trust anchors
    (PEM), ``crls`` the published CRLs (DER). ``passphrase`` is a file whose first line decrypts ``key`` and
    ``pkcs12``. ``host`` is a DNS name or an IP address, ``at`` the evaluation time (UTC).

    ``ocsp`` is the OCSP URL in the certificate. ``proxy`` (HOST:PORT) is an HTTP proxy for all URLs in the
    certificates; without it nothing is served. ``tls`` (HOST:PORT) is a TLS endpoint that presents the case
    for its host name.

    ``partial_chain`` states that an anchor is not self-issued: the path may end at an intermediate CA.
    """

    name: str
    certificate: Path
    chain: Path | None
    key: Path | None
    pkcs12: Path | None
    passphrase: Path | None
    anchors: tuple[Path, ...]
    crls: tuple[Path, ...]
    host: str | None
    at: datetime
    issuer: Path | None = None
    ocsp: str | None = None
    proxy: str | None = None
    partial_chain: bool = False
    tls: str | None = None


@dataclass(frozen=True)
class PartVerdict:
    """The verdict on one part, and the tool's message."""

    accepted: bool
    words: str = ""


@dataclass(frozen=True)
class Answer:
    """The verdict on a case: accepted only if all checked parts are.

    ``words`` is the tool's reason in one line, empty if accepted. A part is None if it was not checked: the
    validator never does, the case has no such file, or the path was already rejected.
    """

    accepted: bool
    words: str
    parts: Mapping[Part, bool | None] = field(default_factory=dict)


def answer(verdicts: Mapping[Part, PartVerdict]) -> Answer:
    """Combine the verdicts on parts to an answer."""
    refused = [
        f"{part}: {verdicts[part].words}"
        for part in PARTS
        if part in verdicts and not verdicts[part].accepted
    ]
    parts = {part: verdicts[part].accepted if part in verdicts else None for part in PARTS}
    return Answer(not refused, one_line("; ".join(refused)), parts)


def one_line(words: str) -> str:
    """Return a message in one line, without the directories of files."""
    return _FOLDERS.sub("", " ".join(words.split()))


class Validator(Protocol):
    """One column of the matrix."""

    @property
    def name(self) -> str:
        """Title of the column."""

    @property
    def looks_at(self) -> frozenset[Capability]:
        """What the validator checks; ``fetching`` and ``ocsp`` need a ``proxy``, ``tls`` also a ``tls``."""

    @property
    def comes_with(self) -> str:
        """The packages to install, for example ``gnutls-bin and faketime``."""

    def version(self) -> str | None:
        """Return the name and version of the program, or None if it is not installed."""

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by case name; OSError if the program is not installed."""
