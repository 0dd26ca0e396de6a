"""A built environment, every certificate of it held against requirement sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pkigen.asn1.names import COMMON_NAME, values
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.presented_cases import CasePresenter
from pkigen.inspection.artifacts import Kind, read_path
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.requirements import PublishedCrl, RequirementSet, load_set
from pkigen.requirements.crl_lookup import CrlLookup
from pkigen.x509 import Certificate


def check_environment(
    folder: Path, sets: Sequence[RequirementSet] | None, options: CheckOptions
) -> Iterator[CheckResult]:
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
        name = case["fault"]["against"] if "fault" in case else ""
        if name and name not in known:
            known[name] = found[name] = load_set(name)
    return {**found, **known}


class _Checker:
    def __init__(
        self, environment: Environment, sets: Sequence[RequirementSet] | None, options: CheckOptions
    ) -> None:
        self._options = options
        manifest = environment.manifest
        named = sets_of(environment.folder) if sets is None else {one.name: one for one in sets}
        self._sets = {one.name: one for one in named.values()}
        required = named.values() if sets is not None else map(named.__getitem__, manifest["requirements"])
        self._required = {one.name for one in required}
        self._bases = dict[str, set[str]]()
        for fault in (case["fault"] for case in manifest["cases"] if "fault" in case):
            self._bases.setdefault(fault["base"], set()).update({fault["against"]} - {""})
        trusted = read_path(environment.trust)
        anchors = tuple(found.certificate for found in trusted if found.certificate is not None)
        self._presenter = CasePresenter(
            environment.folder,
            options.now,
            anchors,
            self._look,
            options.passphrases,
            validation=options.validation,
        )
        published = {
            authority["crl"]["url"]: self._presenter.read(authority["crl"]["file"])
            for authority in manifest["authorities"]
            if authority["crl"] is not None
        }
        self._looker = CrlLookup(published, manifest["base_url"], online=options.online, proxy=options.proxy)
        sound = (case.data for case in environment.cases() if case.fault is None)
        self._names = {data["name"]: self._common_name(data) for data in sound}
        self._presenter.taken = Counter(name for name in self._names.values() if name)

    def _look(self, url: str) -> PublishedCrl | None:
        return self._looker.look(url)

    def concerns(self, data: dict[str, Any]) -> bool:
        """Whether an end entity is held against anything.

        A case of another set is not, nor one whose verdict is about a single second, which has passed.
        """
        if "fault" not in data:
            return True
        return "at" not in data["verdict"] and not self._sets.keys().isdisjoint(self._broken(data))

    def check(self, data: dict[str, Any]) -> CheckResult:
        """One end entity: its files as they stand, and what its fault should break."""
        shown, unread = self._presenter.present(
            data["files"], self._names.get(data["name"]), faulty="fault" in data
        )
        expected, names = None, self._required | self._bases.get(data["name"], set())
        if "fault" in data:
            broken = self._broken(data)
            expected = {name: self._expected(name, broken[name]) for name in self._sets if name in broken}
            names = set(expected)
        sets = [one for name, one in self._sets.items() if name in names]
        revoked = data["revoked"] is not None or data["verdict"].get("stage") == "revocation"
        return check(data["name"], shown, sets, unread, expected, revoked=revoked and "fault" not in data)

    @staticmethod
    def _broken(data: dict[str, Any]) -> dict[str, list[str]]:
        """What a case with a fault breaks of which set: as its fault says, or as was seen at the build."""
        fault = data["fault"]
        if fault["against"]:
            return {fault["against"]: fault["violates"]}
        return {one["set"]: one["violates"] for one in data.get("uploads", ())}

    def _expected(self, name: str, broken: Iterable[str]) -> frozenset[str]:
        """What a case breaks of a set; without validation nobody looks at some of it."""
        one = self._sets[name]
        looked_at = (r.id for r in one.requirements if self._options.validation or r.when == "always")
        return frozenset(broken).intersection(looked_at)

    def _common_name(self, data: dict[str, Any]) -> str | None:
        certificate = self._presenter.artifact(data["files"].get("certificate"), Kind.CERTIFICATE)
        found: Certificate | None = certificate.certificate if certificate else None
        if found is None:
            return None
        return next((name.lower() for name in values(found.subject, COMMON_NAME)), None)
