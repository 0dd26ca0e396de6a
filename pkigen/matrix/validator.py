"""What validators judge, what they answer, and what a validator is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

Part = Literal["path", "crl", "ocsp", "key", "pkcs12"]
"""What there is to look at: the path with its purpose, the CRLs of the path, the OCSP answer about the
certificate, the private key against the certificate, the PKCS#12 file."""

Sight = Literal["path", "file", "host", "crl", "fetching", "ocsp", "key", "pkcs12"]
"""What a validator can have eyes for: a part, how the files of the path are written, the host name of the
path, how CRLs come over HTTP."""

PARTS: tuple[Part, ...] = ("path", "crl", "ocsp", "key", "pkcs12")
SIGHTS: dict[Sight, Part] = {
    "path": "path",
    "file": "path",
    "host": "path",
    "crl": "crl",
    "fetching": "crl",
    "ocsp": "ocsp",
    "key": "key",
    "pkcs12": "pkcs12",
}
"""Every sight, with the part that is refused for what is seen there."""

SECONDS = 20
"""How long one program may take for one case; then it hangs, which is a refusal."""

# The folder of an absolute path; URLs are left alone.
_FOLDERS = re.compile(r"(?<![\w:/])(?:/[^/\s'\"]+)*/(?=[^/\s'\"])")


@dataclass(frozen=True)
class MatrixCase:
    """The files of one TLS server, and what its client trusts, as they lie on the disk; any may be junk.

    ``chain`` are the certificates above (PEM), ``issuer`` the first of them by itself, ``anchors`` what is
    trusted (PEM), ``crls`` the published lists (DER). ``passphrase`` is a file whose first line opens ``key``
    and ``pkcs12``. ``host`` is a DNS name or an IP address, ``at`` the instant (UTC) that the path is
    judged at.

    ``ocsp`` is where the certificate says that answers are to be had. ``proxy`` (HOST:PORT) is an HTTP proxy
    behind which all URLs of the certificates answer; without it nothing is served.
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


@dataclass(frozen=True)
class Said:
    """The verdict on one part, and the tool's own words for it."""

    accepted: bool
    words: str = ""


@dataclass(frozen=True)
class Answer:
    """The verdict on a case: accepted only if all that was looked at is.

    ``words`` is the tool's reason in one line, empty for an acceptance. A part is None when the
    validator did not look: it never does, the case has no such file, or the path was refused already.
    """

    accepted: bool
    words: str
    parts: Mapping[Part, bool | None] = field(default_factory=dict)


def answer(said: Mapping[Part, Said]) -> Answer:
    """The answer that the verdicts on parts amount to."""
    refused = [f"{part}: {said[part].words}" for part in PARTS if part in said and not said[part].accepted]
    parts = {part: said[part].accepted if part in said else None for part in PARTS}
    return Answer(not refused, one_line("; ".join(refused)), parts)


def one_line(words: str) -> str:
    """Words on one line, without the folders of files."""
    return _FOLDERS.sub("", " ".join(words.split()))


class Validator(Protocol):
    """One column of the matrix."""

    @property
    def name(self) -> str:
        """The column's title."""

    @property
    def looks_at(self) -> frozenset[Sight]:
        """What it has an opinion of. Who looks at ``fetching`` or ``ocsp`` needs cases with a ``proxy``."""

    @property
    def comes_with(self) -> str:
        """The packages to install, for example ``gnutls-bin and faketime``."""

    def version(self) -> str | None:
        """The program that answers, with its version; None when it is not installed."""

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases; OSError when the program is not installed."""
