"""The cases of an environment as an appliance gets them: files as they stand, CRLs as published."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artefact, Kind, read
from pkigen.requirements import Look, Presented
from pkigen.x509 import Certificate


@dataclass
class CasePresenter:
    """Presents end entities of an environment, told by what the manifest says of them.

    ``passphrases`` are tried besides those that the environment has files of, ``taken`` counts the
    common names (small letters) of the certificates without a fault.
    """

    folder: Path
    now: datetime
    anchors: tuple[Certificate, ...]
    look: Look
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    taken: Mapping[str, int] = field(default_factory=Counter)
    validation: bool = True
    _chains: dict[bytes, tuple[Artefact, ...]] = field(default_factory=dict, repr=False)

    def present(
        self, data: Mapping[str, Any], own_name: str | None
    ) -> tuple[Presented, tuple[Artefact, ...]]:
        """An end entity, and which of its files could not be read.

        ``own_name`` is its common name, if it is among those taken: it does not take it from itself.
        """
        files, fault = data["files"], data.get("fault")
        certificate = self.artefact(files.get("certificate"), Kind.CERTIFICATE)
        passphrases = self._passphrases(files.get("passphrase"))
        key = self.artefact(files.get("key"), Kind.KEY, passphrases)
        shown = Presented(
            now=self.now,
            certificate=certificate.certificate if certificate else None,
            certificate_source=certificate.source if certificate else None,
            key=key.key if key else None,
            key_source=key.source if key else None,
            chain=self._chain(files.get("chain")),
            anchors=self.anchors,
            look=self.look,
            sharing=self._others(own_name),
            validation=self.validation,
            passphrase_known=fault is not None or bool(passphrases),
        )
        return shown, tuple(_unread(certificate, key))

    def artefact(self, path: str | None, kind: Kind, passphrases: Sequence[bytes] = ()) -> Artefact | None:
        """What a file holds of a kind, else the first of what it holds; None without a file."""
        if path is None:
            return None
        found = read(self.read(path), path, passphrases)
        return next((artefact for artefact in found if artefact.kind is kind), found[0])

    def read(self, path: str) -> bytes:
        """The octets of a file of the environment; InputError when it is not to be had."""
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            words = f"{self.folder / path} cannot be read: {error.strerror}"
            raise InputError(f"{words}. Build the environment again") from error

    def _passphrases(self, path: str | None) -> tuple[bytes, ...]:
        if path is None:
            return self.passphrases
        return (self.read(path).removesuffix(b"\n"), *self.passphrases)

    def _chain(self, path: str | None) -> tuple[Artefact, ...] | None:
        """The artefacts of a chain file; most of an environment's are the same."""
        if path is None:
            return None
        data = self.read(path)
        key = data + Path(path).suffix.encode()
        if key not in self._chains:
            self._chains[key] = read(data, path)
        return self._chains[key]

    def _others(self, own_name: str | None) -> Mapping[str, int]:
        """The common names of all other certificates without a fault, counted."""
        if own_name is None:
            return self.taken
        return ChainMap({own_name: self.taken[own_name] - 1}, dict(self.taken))


def _unread(certificate: Artefact | None, key: Artefact | None) -> Iterator[Artefact]:
    """What was presented for a certificate or a key and holds none, with the reason."""
    if certificate is not None and certificate.certificate is None:
        yield replace(certificate, problem=certificate.problem or f"it is no certificate: {certificate.kind}")
    if key is not None and key.key is None:
        yield replace(key, problem=key.problem or f"it is no private key: {key.kind}")
