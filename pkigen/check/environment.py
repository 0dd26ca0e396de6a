"""A built environment, every certificate of it held against requirement sets."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pkigen.artefacts import Artefact, Kind, read, read_path
from pkigen.check.checking import Checked, CheckOptions, check
from pkigen.check.looking import Looker
from pkigen.environment.reading import Environment, open_environment
from pkigen.errors import InputError
from pkigen.names import COMMON_NAME, values
from pkigen.requirements import Presented, RequirementSet
from pkigen.x509 import Certificate


def check_environment(
    folder: Path, sets: Sequence[RequirementSet], options: CheckOptions
) -> Iterator[Checked]:
    """One result for each end entity, in the manifest's order; what is missing raises InputError."""
    environment = open_environment(folder)
    checker = _Checker(environment, sets, options)
    return (checker.check(case.data) for case in environment.cases())


class _Checker:
    def __init__(
        self, environment: Environment, sets: Sequence[RequirementSet], options: CheckOptions
    ) -> None:
        self._folder = environment.folder
        self._sets = sets
        self._options = options
        manifest = environment.manifest
        published = {
            authority["crl"]["url"]: self._read(authority["crl"]["file"])
            for authority in manifest["authorities"]
            if authority["crl"] is not None
        }
        self._looker = Looker(
            (), published, manifest["base_url"], online=options.online, proxy=options.proxy
        )
        self._chains = dict[bytes, tuple[Artefact, ...]]()
        trusted = read_path(environment.trust)
        self._anchors = tuple(found.certificate for found in trusted if found.certificate is not None)
        sound = (case.data for case in environment.cases() if "fault" not in case.data)
        self._names = {data["name"]: self._common_name(data) for data in sound}
        self._taken = Counter(name for name in self._names.values() if name)

    def check(self, data: dict[str, Any]) -> Checked:
        """One end entity: its files as they stand, and what its fault should break."""
        files, fault = data["files"], data.get("fault")
        certificate = self._artefact(files.get("certificate"), Kind.CERTIFICATE)
        passphrases = self._passphrases(files.get("passphrase"))
        key = self._artefact(files.get("key"), Kind.KEY, passphrases)
        shown = Presented(
            now=self._options.now,
            certificate=certificate.certificate if certificate else None,
            certificate_source=certificate.source if certificate else None,
            key=key.key if key else None,
            key_source=key.source if key else None,
            chain=self._chain(files.get("chain")),
            anchors=self._anchors,
            look=self._looker.look,
            sharing=self._others(data["name"]),
            validation=self._options.validation,
            passphrase_known=fault is not None or bool(passphrases),
        )
        expected = {fault["against"]: frozenset(fault["violates"])} if fault else None
        sets = [s for s in self._sets if fault is None or s.name == fault["against"]]
        unread = [found for found in (certificate,) if found is not None and found.problem]
        return check(data["name"], shown, sets, unread, expected, revoked=data["revoked"] is not None)

    def _artefact(
        self, path: str | None, kind: Kind, passphrases: Sequence[bytes] = ()
    ) -> Artefact | None:
        if path is None:
            return None
        found = read(self._read(path), path, passphrases)
        return next((artefact for artefact in found if artefact.kind is kind), found[0])

    def _passphrases(self, path: str | None) -> tuple[bytes, ...]:
        given = self._options.passphrases
        return given if path is None else (self._read(path).removesuffix(b"\n"), *given)

    def _chain(self, path: str | None) -> tuple[Artefact, ...] | None:
        """The artefacts of a chain file; most of an environment's are the same."""
        if path is None:
            return None
        data = self._read(path)
        key = data + Path(path).suffix.encode()
        if key not in self._chains:
            self._chains[key] = read(data, path)
        return self._chains[key]

    def _others(self, name: str) -> Mapping[str, int]:
        """The common names of all other certificates without a fault, counted."""
        own = self._names.get(name)
        return self._taken if own is None else ChainMap({own: self._taken[own] - 1}, self._taken)

    def _common_name(self, data: dict[str, Any]) -> str | None:
        certificate = self._artefact(data["files"].get("certificate"), Kind.CERTIFICATE)
        found: Certificate | None = certificate.certificate if certificate else None
        if found is None:
            return None
        return next((name.lower() for name in values(found.subject, COMMON_NAME)), None)

    def _read(self, path: str) -> bytes:
        try:
            return (self._folder / path).read_bytes()
        except OSError as error:
            words = f"{self._folder / path} cannot be read: {error.strerror}"
            raise InputError(f"{words}. Build the environment again") from error
