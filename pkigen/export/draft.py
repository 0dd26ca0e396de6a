"""An export in the making: what is given, and the files that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pkigen.environment.environment import Case, Environment
from pkigen.errors import InputError
from pkigen.export.template import Templates
from pkigen.model import File
from pkigen.serve.files import MEDIA_TYPES, published_folder


@dataclass(frozen=True)
class ExportRequest:
    """What is exported, and for whom.

    ``host`` is the address that servers listen at, ``port`` that of the CRLs, ``tls_port`` that of the
    certificates. ``passphrases`` open keys, ``new_passphrase`` protects the stores that are written.
    """

    environment: Environment
    cases: tuple[Case, ...]
    host: str
    port: int
    tls_port: int
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    new_passphrase: bytes = field(default=b"changeit", repr=False)

    @property
    def listen(self) -> str:
        """``host`` as it stands in front of a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def anchors(self) -> bytes:
        """trust.pem."""
        return read_bytes(self.environment.trust)


@dataclass(frozen=True)
class Published:
    """A file for the CRL server: the path of its URL, the file below the folder, its media type, octets."""

    url: str
    path: str
    type: str
    size: int


@dataclass
class Draft:
    """The files of an export, as a target adds them.

    ``left_out`` says of each case that the target cannot hold why; ``notes`` are for the person.
    """

    given: ExportRequest
    templates: Templates
    files: dict[str, File] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, path: str, data: bytes, *, secret: bool = False) -> str:
        """A file at a path below the folder (``/`` separated), readable by its owner alone if secret."""
        if not secret and has_key(data):
            raise InputError(f"{path} would hold a private key for all to read; nothing was written")
        if path in self.files:
            raise InputError(f"{path} would be written twice; nothing was written")
        self.files[path] = File(path, data, secret)
        return path

    def render(self, path: str, template: str, *, secret: bool = False, **variables: Any) -> None:
        """A file out of a template, which sees ``given`` besides."""
        text = self.templates.render(template, {"given": _Shown(self.given), **variables})
        self.add(path, text.encode(), secret=secret)

    def trust(self) -> None:
        """The trust anchors, as trust.pem."""
        self.add("trust.pem", self.given.anchors)

    def www(self) -> tuple[Published, ...]:
        """What the environment publishes, as files below www/ where their URLs lead."""
        prefix = urlsplit(self.given.environment.base_url).path.strip("/")
        found = []
        for url, data in _published(self.given.environment.www):
            below = f"{prefix}/{url}" if prefix else url
            path = self.add(f"www/{below}", data)
            kind = MEDIA_TYPES.get(Path(url).suffix, "application/octet-stream")
            found.append(Published(f"/{below}", path, kind, len(data)))
        return tuple(found)


class _Shown:
    """What templates see of ``Given``: nothing secret."""

    def __init__(self, given: ExportRequest) -> None:
        self.environment = given.environment.name
        self.base_url = given.environment.base_url
        self.host, self.listen = given.host, given.listen
        self.port, self.tls_port = given.port, given.tls_port


def has_key(data: bytes) -> bool:
    """Whether a private key stands in a text file, in any encoding of ASCII letters."""
    return b"PRIVATE KEY" in data.replace(b"\0", b"")


def read_bytes(path: Path) -> bytes:
    """A file of the environment; InputError when it is not to be had."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Build the environment again") from error


def _published(www: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(published_folder(www).rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(www).as_posix(), read_bytes(path)
