"""Reads the cases of an environment as an appliance receives them, for requirement checks."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind, file_mode, read
from pkigen.model import PKCS12_PASSPHRASE
from pkigen.os_errors import os_error_reason
from pkigen.requirements import CheckInput, LookUpCrl
from pkigen.requirements.subject import OutcomesOfCas
from pkigen.x509 import Certificate

_WITHOUT_CERTIFICATE = ("key", "chain", "passphrase")


@dataclass
class CasePresenter:
    """Reads the files of end entities and combines them into the input of a requirement check.

    ``passphrases`` are tried in addition to those in the environment's passphrase files. ``taken`` counts
    the common names (lowercase) of the certificates without a fault. ``signed_by`` is the time of the build
    that wrote the environment's manifest (default: ``now``). ``keys`` counts the keys of the authorities and
    of the certificates without a fault, as the manifest identifies them.
    """

    folder: Path
    now: datetime
    anchors: tuple[Certificate, ...]
    look: LookUpCrl
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)
    taken: Mapping[str, int] = field(default_factory=Counter)
    signed_by: datetime | None = None
    keys: Mapping[str, int] | None = None
    _chains: dict[bytes, tuple[tuple[Artifact, ...], OutcomesOfCas]] = field(default_factory=dict, repr=False)

    def present(
        self, files: Mapping[str, str], own_name: str | None, own_key: str | None = None, *, faulty: bool
    ) -> tuple[CheckInput, tuple[Artifact, ...]]:
        """Return the input of a check of one end entity, and the artifacts that could not be read.

        ``files`` maps roles to paths relative to the environment. ``own_name`` is the entity's common name
        if ``taken`` counts it, ``own_key`` its key if ``keys`` does: an entity does not conflict with itself.
        """
        certificate = self.artifact(files.get("certificate"), Kind.CERTIFICATE)
        passphrases = self._passphrases(files.get("passphrase"))
        key = self.artifact(files.get("key"), Kind.KEY, passphrases)
        chain, outcomes_of_cas = self._chain(files.get("chain"))
        subject = CheckInput(
            now=self.now,
            certificate=certificate.certificate if certificate else None,
            certificate_source=certificate.source if certificate else None,
            key=key.key if key else None,
            key_source=key.source if key else None,
            chain=chain,
            anchors=self.anchors,
            look=self.look,
            signed_by=self.signed_by,
            read_combined=lambda: self._combined(certificate, files, passphrases),
            sharing=_without(self.taken, own_name),
            sharing_keys=None if self.keys is None else _without(self.keys, own_key),
            passphrase_known=faulty or bool(passphrases),
            outcomes_of_cas=outcomes_of_cas,
        )
        return subject, tuple(_unreadable(certificate, key))

    def _combined(
        self, certificate: Artifact | None, files: Mapping[str, str], passphrases: Sequence[bytes]
    ) -> tuple[tuple[Artifact, ...], ...]:
        """Return the contents of the files with the certificate, and of key stores that stay closed."""
        paths = [path for role, path in files.items() if role not in _WITHOUT_CERTIFICATE]
        contents = [self._artifacts(path, (*passphrases, PKCS12_PASSPHRASE)) for path in paths]
        own = certificate.der if certificate else b""
        return tuple(one for one in contents if any(a.der == own or a.kind is Kind.PKCS12 for a in one))

    def artifact(self, path: str | None, kind: Kind, passphrases: Sequence[bytes] = ()) -> Artifact | None:
        """Return the first artifact of a kind in a file, or else the first of any kind."""
        if path is None:
            return None
        artifacts = self._artifacts(path, passphrases)
        return next((artifact for artifact in artifacts if artifact.kind is kind), artifacts[0])

    def _artifacts(self, path: str, passphrases: Sequence[bytes]) -> tuple[Artifact, ...]:
        return read(self.read(path), path, passphrases, file_mode(self.folder / path))

    def read(self, path: str) -> bytes:
        """Return the contents of a file of the environment; InputError if it cannot be read."""
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            message = f"{self.folder / path} cannot be read: {os_error_reason(error)}"
            raise InputError(f"{message}. Build the environment again") from error

    def _passphrases(self, path: str | None) -> tuple[bytes, ...]:
        if path is None:
            return self.passphrases
        return (self.read(path).removesuffix(b"\n"), *self.passphrases)

    def _chain(self, path: str | None) -> tuple[tuple[Artifact, ...] | None, OutcomesOfCas | None]:
        """Return the artifacts of a chain file, and the cache of outcomes for its certificates.

        They are cached, since most chains of an environment are equal.
        """
        if path is None:
            return None, None
        data = self.read(path)
        key = data + Path(path).name.encode()
        if key not in self._chains:
            self._chains[key] = read(data, path), {}
        return self._chains[key]


def _without(counts: Mapping[str, int], own: str | None) -> Mapping[str, int]:
    """Return the counts without the entity's own value."""
    # ChainMap writes to its first mapping only, so that the counts need no copy.
    return counts if own is None else ChainMap({own: counts[own] - 1}, cast("dict[str, int]", counts))


def _unreadable(certificate: Artifact | None, key: Artifact | None) -> Iterator[Artifact]:
    if certificate is not None and certificate.certificate is None:
        yield replace(certificate, problem=certificate.problem or f"not a certificate: {certificate.kind}")
    if key is not None and key.key is None:
        yield replace(key, problem=key.problem or f"not a private key: {key.kind}")
