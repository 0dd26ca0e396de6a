"""An export under construction: the request, and the files that a target adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pkigen.environment.environment import Case, Environment
from pkigen.errors import InputError
from pkigen.export.fleet import ExportedFleet
from pkigen.export.template import Templates
from pkigen.model import File
from pkigen.os_errors import os_error_reason
from pkigen.serve.http.published_files import MEDIA_TYPES, published_directory


@dataclass(frozen=True)
class ExportRequest:
    """The cases to export, and the options.

    Servers listen on the address ``host``, on ``port`` for CRLs and on ``tls_port`` for TLS. ``passphrases``
    decrypt keys; ``new_passphrase`` encrypts the key stores. ``client_auth`` lets servers require a client
    certificate that is not revoked.
    """

    environment: Environment
    cases: tuple[Case, ...]
    host: str
    port: int
    tls_port: int
    client_auth: bool = False
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    new_passphrase: bytes = field(default=b"changeit", repr=False)

    @property
    def listen(self) -> str:
        """``host`` as it is written in front of a port, IPv6 addresses in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def anchors(self) -> bytes:
        """The contents of trust.pem."""
        return read_bytes(self.environment.trust)


@dataclass(frozen=True)
class Published:
    """A file of the CRL server: URL path, path in the export directory, media type, size in bytes."""

    url: str
    path: str
    type: str
    size: int


@dataclass
class Draft:
    """The files that a target adds to an export.

    ``left_out`` contains the reason for each case that the target cannot export; ``notes`` are for the user.
    ``fleet`` is set for targets of fleets.
    """

    given: ExportRequest
    templates: Templates
    fleet: ExportedFleet | None = None
    files: dict[str, File] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def members(self) -> ExportedFleet:
        """The certificates of the fleet to export."""
        assert self.fleet is not None
        return self.fleet

    def add(self, path: str, data: bytes, *, secret: bool = False) -> str:
        """Add a file at a relative path (``/`` separated) and return the path; secret files get mode 0600."""
        if not secret and has_key(data):
            raise InputError(f"{path} would expose a private key; nothing was written")
        if path in self.files:
            raise InputError(f"{path} is defined twice; nothing was written")
        self.files[path] = File(path, data, secret)
        return path

    def render(self, path: str, template: str, *, secret: bool = False, **variables: Any) -> None:
        """Add a file rendered from a template; the template can also use ``given``."""
        text = self.templates.render(template, {"given": _TemplateRequest(self.given), **variables})
        self.add(path, text.encode(), secret=secret)

    def trust(self) -> None:
        """Add the trust anchors as trust.pem."""
        self.add("trust.pem", self.given.anchors)

    def www(self) -> tuple[Published, ...]:
        """Add the environment's published files below www/, at the paths of their URLs."""
        prefix = urlsplit(self.given.environment.base_url).path.strip("/")
        published = []
        for url, data in _published(self.given.environment.www):
            below = f"{prefix}/{url}" if prefix else url
            path = self.add(f"www/{unquote(below)}", data)
            kind = MEDIA_TYPES.get(Path(url).suffix, "application/octet-stream")
            published.append(Published(f"/{below}", path, kind, len(data)))
        return tuple(published)


class _TemplateRequest:
    """The fields of ``ExportRequest`` that templates can use; no secrets."""

    def __init__(self, given: ExportRequest) -> None:
        self.environment = given.environment.name
        self.base_url = given.environment.base_url
        self.host, self.listen = given.host, given.listen
        self.port, self.tls_port = given.port, given.tls_port
        self.client_auth = given.client_auth


def has_key(data: bytes) -> bool:
    """Return whether PEM data contains a private key, in any encoding of ASCII characters (UTF-16 too)."""
    return b"PRIVATE KEY" in data.replace(b"\0", b"")


def read_bytes(path: Path) -> bytes:
    """Read a file of the environment; raise InputError if that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {os_error_reason(error)}. Build the environment again"
        ) from error


def _published(www: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(published_directory(www).rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(www).as_posix(), read_bytes(path)
