"""A built environment, read through its manifest."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pkigen.errors import InputError

if TYPE_CHECKING:
    import ssl

_ANY_LABEL = "any"
"""What stands in for the asterisk of a wildcard in a name that is asked for."""


@dataclass(frozen=True, slots=True)
class Case:
    """One end-entity certificate of an environment; ``data`` is its object of the manifest."""

    folder: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return str(self.data["name"])

    @property
    def certificate(self) -> Path:
        """NAME.crt, PEM."""
        return self.file("certificate")

    @property
    def key(self) -> Path:
        """NAME.key, PEM."""
        return self.file("key")

    @property
    def chain(self) -> Path:
        """chain.pem: from the issuing CA up to and with the root."""
        return self.file("chain")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The DNS names and IP addresses it is for."""
        return tuple(self.data["hosts"])

    @property
    def host(self) -> str:
        """What to ask for to be shown it over TLS: its first DNS name, else an address, else its own name."""
        names = (host for host in self.hosts if not _is_address(host))
        first = next(names, next(iter(self.hosts), self.name))
        return f"{_ANY_LABEL}{first[1:]}" if first.startswith("*.") else first

    @property
    def fault(self) -> str | None:
        """The id of what is wrong with it on purpose; None when nothing is."""
        return str(self.data["fault"]["id"]) if "fault" in self.data else None

    @property
    def expected(self) -> str:
        """What a strict validator does at the build's clock: ``accept``, ``reject``; or it ``varies``."""
        return str(self.data["verdict"]["expected"])

    @property
    def stage(self) -> str | None:
        """Where it shows: file, parse, path, name, revocation, transport or lint."""
        found = self.data["verdict"]["stage"]
        return None if found is None else str(found)

    @property
    def reason(self) -> str | None:
        """Why a validator would refuse it, for a person."""
        found = self.data["verdict"]["reason"]
        return None if found is None else str(found)

    @property
    def accepted(self) -> bool:
        """Whether a strict validator accepts it at the build's clock, trusting ``anchors``."""
        return self.expected == "accept"

    @property
    def anchors(self) -> tuple[Path, ...]:
        """The certificates that its clients are to trust, PEM."""
        return tuple(self.folder / path for path in self.data["trust"])

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts its anchors and nothing else, and checks host names."""

        return client_context(self.anchors)

    def server_context(self, passphrase: str = "") -> ssl.SSLContext:
        """For a server that presents it, with the authorities below its root.

        ``passphrase`` opens the key if it is under one that is not among the files. ssl.SSLError when
        OpenSSL does not load what is there.
        """

        files, secret = self.data["files"], passphrase.encode()
        if not secret and "passphrase" in files:
            secret = self.file("passphrase").read_bytes().splitlines()[0]
        return server_context(self.certificate, self.chain if "chain" in files else None, self.key, secret)

    def file(self, kind: str) -> Path:
        """The file of a kind that the manifest lists; KeyError when it has none."""
        return self.folder / str(self.data["files"][kind])


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder that a build has made, and its manifest."""

    folder: Path
    manifest: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The profile's name."""
        return str(self.manifest["environment"])

    @property
    def trust(self) -> Path:
        """The trust anchors, PEM."""
        return self.folder / str(self.manifest["trust"])

    @property
    def www(self) -> Path:
        """What a web server may serve: CRLs and CA certificates."""
        return self.folder / "www"

    def cases(self) -> Iterator[Case]:
        """The end-entity certificates in the profile's order."""
        return (Case(self.folder, data) for data in self.manifest["cases"])

    def __getitem__(self, name: str) -> Case:
        """The case of a name; KeyError when there is none."""
        for case in self.cases():
            if case.name == name:
                return case
        raise KeyError(name)


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def open_environment(folder: Path) -> Environment:
    """The environment in a folder; InputError when none was built there."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except OSError as error:
        raise InputError(f"{folder} is not a built environment: {error.strerror}: manifest.json") from error
    except ValueError as error:
        raise InputError(f"{folder / 'manifest.json'} is damaged; build the environment again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != "pkigen-manifest":
        raise InputError(f"{folder / 'manifest.json'} is not a pkigen manifest")
    if manifest.get("version") != 1:
        raise InputError(f"{folder / 'manifest.json'} is of a later pkigen; use that one")
    return Environment(folder, manifest)


_END = b"-----END CERTIFICATE-----"


def client_context(anchors: Sequence[Path]) -> ssl.SSLContext:
    """``ssl.create_default_context`` with these anchors in the place of the system's."""
    trusted = "\n".join(path.read_text("ascii") for path in anchors)
    if not trusted:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cadata=trusted)


def server_context(certificate: Path, chain: Path | None, key: Path, passphrase: bytes) -> ssl.SSLContext:
    """Presents a certificate with those above it, without the last: the root is for clients to have.

    ``passphrase`` opens a key that is under one. ssl.SSLError for what OpenSSL does not load.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    above = chain.read_bytes().split(_END)[:-2] if chain else []
    with TemporaryDirectory(prefix="pkigen-") as folder:
        presented = Path(folder) / "presented.pem"
        presented.write_bytes(certificate.read_bytes() + b"\n" + b"".join(block + _END for block in above))
        context.load_cert_chain(presented, key, passphrase)
    return context
