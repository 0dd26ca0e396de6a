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
from pkigen.requirements import Presented, RequirementSet, load_set
from pkigen.x509 import Certificate


def check_environment(
    folder: Path, sets: Sequence[RequirementSet] | None, options: CheckOptions
) -> Iterator[Checked]:
    """One result for each end entity, in the manifest's order; what is missing raises InputError.

    Without ``sets`` a certificate is held against its profile's, and against those that negative
    cases of it break. A case is held against the set of its fault alone.
    """
    environment = open_environment(folder)
    checker = _Checker(environment, sets, options)
    return (checker.check(case.data) for case in environment.cases() if checker.concerns(case.data))


def sets_of(folder: Path) -> dict[str, RequirementSet]:
    """The sets that an environment names, by what it calls them; InputError for one that is not there."""
    manifest = open_environment(folder).manifest
    found = {name: load_set(name) for name in manifest["requirements"]}
    known = {one.name: one for one in found.values()}
    for case in manifest["cases"]:
        name = case["fault"]["against"] if "fault" in case else None
        if name is not None and name not in known:
            known[name] = found[name] = load_set(name)
    return {**found, **known}


class _Checker:
    def __init__(
        self, environment: Environment, sets: Sequence[RequirementSet] | None, options: CheckOptions
    ) -> None:
        self._folder = environment.folder
        self._options = options
        manifest = environment.manifest
        named = sets_of(environment.folder) if sets is None else {one.name: one for one in sets}
        self._sets = {one.name: one for one in named.values()}
        required = named.values() if sets is not None else map(named.__getitem__, manifest["requirements"])
        self._required = {one.name for one in required}
        self._bases = dict[str, set[str]]()
        for fault in (case["fault"] for case in manifest["cases"] if "fault" in case):
            self._bases.setdefault(fault["base"], set()).add(fault["against"])
        published = {
            authority["crl"]["url"]: self._read(authority["crl"]["file"])
            for authority in manifest["authorities"]
            if authority["crl"] is not None
        }
        self._looker = Looker((), published, manifest["base_url"], online=options.online, proxy=options.proxy)
        self._chains = dict[bytes, tuple[Artefact, ...]]()
        trusted = read_path(environment.trust)
        self._anchors = tuple(found.certificate for found in trusted if found.certificate is not None)
        sound = (case.data for case in environment.cases() if "fault" not in case.data)
        self._names = {data["name"]: self._common_name(data) for data in sound}
        self._taken = Counter(name for name in self._names.values() if name)

    def concerns(self, data: dict[str, Any]) -> bool:
        """Whether an end entity is held against anything: a case of another set is not."""
        return "fault" not in data or data["fault"]["against"] in self._sets

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
        expected = {fault["against"]: self._expected(fault)} if fault else None
        names = {fault["against"]} if fault else self._required | self._bases.get(data["name"], set())
        sets = [one for name, one in self._sets.items() if name in names]
        unread = [found for found in (certificate,) if found is not None and found.problem]
        return check(data["name"], shown, sets, unread, expected, revoked=data["revoked"] is not None)

    def _expected(self, fault: dict[str, Any]) -> frozenset[str]:
        """What a case breaks; without validation nobody looks at some of it."""
        one = self._sets[fault["against"]]
        looked_at = (r.id for r in one.requirements if self._options.validation or r.when == "always")
        return frozenset(fault["violates"]).intersection(looked_at)

    def _artefact(self, path: str | None, kind: Kind, passphrases: Sequence[bytes] = ()) -> Artefact | None:
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
