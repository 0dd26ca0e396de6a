"""A built environment, read through its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pkigen.environment.tls_identity import PemFiles, TlsIdentity
from pkigen.errors import InputError, visible
from pkigen.files import links_outside
from pkigen.os_errors import os_error_reason
from pkigen.strict_json import parse_json

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel, ValidationError

    from pkigen.environment.manifest import schema

Model = TypeVar("Model", bound="BaseModel")

NO_KEY_FILE = "only its owner has the private key, or the profile omits it (files)"
_WILDCARD_LABEL = "any"
"""Replaces the asterisk of a wildcard name in a server name indication."""


@dataclass(frozen=True, repr=False)
class Case(TlsIdentity):
    """An end-entity certificate of an environment with its files.

    ``data`` is its JSON object in the manifest; ``entry`` is the same object with types.
    """

    folder: Path
    data: dict[str, Any]

    def __repr__(self) -> str:
        return f"Case({str(self.folder)!r}, {self.name!r})"

    @cached_property
    def entry(self) -> schema.Case:
        """The case's object in the manifest. Raises InputError if it does not match the schema."""
        from pkigen.environment.manifest.schema import Case as CaseEntry

        return _validated(CaseEntry, self.data, self.folder)

    @property
    def name(self) -> str:
        """The certificate's name in the profile."""
        return str(self.data["name"])

    @property
    def certificate(self) -> Path:
        """The path of NAME.crt (PEM)."""
        return self.file("certificate")

    @property
    def key(self) -> Path:
        """The path of NAME.key (PEM); KeyError if there is none."""
        return self.file("key")

    @property
    def chain(self) -> Path:
        """The path of the CA certificates (PEM) from the issuing CA up to and including the root.

        That is chain.pem, or the file of the issuing CA if the profile omits chain.pem (``files``).
        """
        return self.file("chain")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The DNS names and IP addresses that the certificate is valid for."""
        return tuple(self.data["hosts"])

    @property
    def is_for_servers(self) -> bool:
        """Whether a TLS server can present it: its own or its base's extended key usage permits that."""
        return bool(self.data.get("server", True))

    @property
    def host(self) -> str:
        """The server name that selects the case over TLS: its first DNS name, address, or its name."""
        names = (host for host in self.hosts if not _is_address(host))
        first = next(names, next(iter(self.hosts), self.name))
        return f"{_WILDCARD_LABEL}{first[1:]}" if first.startswith("*.") else first

    @property
    def fault(self) -> str | None:
        """The id of the intentional fault, or None."""
        return str(self.data["fault"]["id"]) if "fault" in self.data else None

    @property
    def expected(self) -> str:
        """The verdict of a strict validator at the build clock: ``accept``, ``reject`` or ``varies``."""
        return str(self.data["verdict"]["expected"])

    @property
    def stage(self) -> str | None:
        """The step that rejects the case: file, parse, path, name, revocation, transport or lint."""
        stage = self.data["verdict"]["stage"]
        return None if stage is None else str(stage)

    @property
    def reason(self) -> str | None:
        """The reason for a rejection, for people."""
        reason = self.data["verdict"]["reason"]
        return None if reason is None else str(reason)

    @property
    def accepted(self) -> bool:
        """Whether a strict validator that trusts ``anchors`` accepts the case at the build clock."""
        return self.expected == "accept"

    @property
    def anchors(self) -> tuple[Path, ...]:
        """The paths of the trust anchors for clients of the case (PEM)."""
        return tuple(self.folder / path for path in self.data["trust"])

    def pem_files(self, passphrase: str = "") -> PemFiles:
        """Return the contents of its certificate, chain and key; InputError without a key.

        ``passphrase`` decrypts the key if none of the case's files contains the passphrase.
        """
        files, secret = self.data["files"], passphrase.encode()
        if "key" not in files:
            raise InputError(f"{self.name} has no key file: {NO_KEY_FILE}")
        if not secret and "passphrase" in files:
            secret = self.file("passphrase").read_bytes().splitlines()[0]
        chain = self.chain.read_bytes() if "chain" in files else b""
        return PemFiles(self.certificate.read_bytes(), chain, self.key.read_bytes(), secret)

    def anchors_pem(self) -> str:
        """Return the trust anchors for clients of the case (PEM)."""
        return "\n".join(path.read_text("ascii") for path in self.anchors)

    def file(self, kind: str) -> Path:
        """Return the path of a file by its key in the manifest's ``files``; KeyError if there is none."""
        return self.folder / str(self.data["files"][kind])


@dataclass(frozen=True, repr=False)
class Environment:
    """A built environment: its directory and its manifest.

    ``manifest`` is the JSON document; ``contents`` is the same document with types.
    """

    folder: Path
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        return f"Environment({str(self.folder)!r})"

    @cached_property
    def contents(self) -> schema.Manifest:
        """The manifest. Raises InputError if it does not match the schema."""
        from pkigen.environment.manifest.schema import Manifest

        return _validated(Manifest, self.manifest, self.folder)

    @property
    def name(self) -> str:
        """The profile's name."""
        return str(self.manifest["environment"])

    @property
    def base_url(self) -> str:
        """The base URL of CRLs, CA certificates and OCSP in the certificates."""
        return str(self.manifest["base_url"])

    @property
    def http_port(self) -> int | None:
        """The TCP port of the base URL; None if it is https, which pkigen does not serve."""
        url = urlsplit(self.base_url)
        return None if url.scheme == "https" else url.port or 80

    @property
    def clock(self) -> datetime:
        """The clock of the build that wrote the manifest (UTC)."""
        from datetime import datetime

        return datetime.fromisoformat(self.manifest["clock"])

    @property
    def requirements(self) -> tuple[str, ...]:
        """The names of the requirement sets that certificates without a fault satisfy."""
        return tuple(self.manifest["requirements"])

    @property
    def trust(self) -> Path:
        """The path of the trust anchors (PEM)."""
        return self.folder / str(self.manifest["trust"])

    @property
    def www(self) -> Path:
        """The directory of the files that a web server may serve: CRLs and CA certificates."""
        return self.folder / "www"

    def cases(self) -> Iterator[Case]:
        """Return the end-entity certificates in the profile's order, then those that devices requested."""
        entries = (*self.manifest["cases"], *self.manifest.get("enrolled", ()))
        return (Case(self.folder, data) for data in entries)

    def __getitem__(self, name: str) -> Case:
        """Return the case with a name; KeyError if there is none."""
        for case in self.cases():
            if case.name == name:
                return case
        raise KeyError(name)


def open_environment(folder: Path) -> Environment:
    """Read the environment in a directory; InputError if the directory does not contain one."""
    try:
        data = (folder / "manifest.json").read_bytes()
    except OSError as error:
        raise InputError(
            f"{folder} is not a built environment: manifest.json: {os_error_reason(error)}"
        ) from error
    return Environment(folder, parse_manifest(folder, data))


def parse_manifest(folder: Path, data: bytes) -> dict[str, Any]:
    """Return the document in an environment's manifest.json; InputError if it cannot be used.

    Every path in the result is inside the environment: an environment may come from somebody else. Fields
    that this version does not know are ignored.
    """
    from pydantic import ValidationError

    from pkigen.environment.manifest.schema import Manifest

    path = folder / "manifest.json"
    try:
        document = parse_json(data)
    except ValueError as error:
        raise _damaged(folder, "it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != "pkigen-manifest":
        raise InputError(f"{path} is not a pkigen manifest")
    if document.get("version") != 1:
        raise InputError(f"{path} was written by a later version of pkigen; use that version")
    try:
        manifest = Manifest.model_validate_json(data, strict=True, extra="ignore")
    except ValidationError as error:
        raise _damaged(folder, _first_error(error)) from error
    if (link := links_outside(folder, manifest.paths())) is not None:
        raise InputError(f"{link} is a link to a file outside the environment {folder}; remove the link")
    return document


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _validated(model: type[Model], data: dict[str, Any], folder: Path) -> Model:
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _damaged(folder, _first_error(error)) from error


def _first_error(error: ValidationError) -> str:
    """Return the place and the reason of a manifest's first error."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "string_pattern_mismatch":
        return f"{place} leads outside the environment: {visible(str(first['input']))}"
    return f"{place}: {first['msg']}" if place else first["msg"]


def _damaged(folder: Path, reason: str) -> InputError:
    return InputError(f"{folder / 'manifest.json'} is damaged ({reason}); build the environment again")
