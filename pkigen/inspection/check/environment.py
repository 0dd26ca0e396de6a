"""Checks every certificate of a built environment against requirement sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pkigen.asn1.names import COMMON_NAME, values
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.presented_cases import CasePresenter
from pkigen.inspection.artifacts import Kind, read_path
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.requirements import PublishedCrl, RequirementSet, load_set
from pkigen.requirements.crl_lookup import CrlLookup


def check_environment(
    folder: Path, sets: Sequence[RequirementSet] | None, options: CheckOptions
) -> Iterator[CheckResult]:
    """Return one result for each end entity, in the manifest's order; InputError for a missing file.

    Without ``sets`` a certificate is checked against its profile's sets and those that its negative cases
    violate. A case is checked against the set of its fault alone.
    """
    environment = open_environment(folder)
    checker = _Checker(environment, sets, options)
    return (checker.check(case.data) for case in environment.cases() if checker.concerns(case.data))


def sets_of(folder: Path) -> dict[str, RequirementSet]:
    """Return the sets that an environment names, by their names in it; InputError for a missing set."""
    manifest = open_environment(folder).manifest
    named = {name: load_set(name) for name in manifest["requirements"]}
    known = {one.name: one for one in named.values()}
    for case in manifest["cases"]:
        name = case["fault"]["against"] if "fault" in case else ""
        if name and name not in known:
            known[name] = named[name] = load_set(name)
    return {**named, **known}


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
        anchors = tuple(one.certificate for one in trusted if one.certificate is not None)
        self._presenter = CasePresenter(
            environment.folder,
            options.now,
            anchors,
            self._look,
            options.passphrases,
            validation=options.validation,
            signed_by=environment.clock,
        )
        authorities = manifest["authorities"]
        complete = [one["crl"] for one in authorities if one["crl"] is not None]
        crls = [crl for one in complete for crl in (one, *one["parts"])]
        published = {crl["url"]: self._presenter.read(crl["file"]) for crl in crls}
        self._lookup = CrlLookup(published, manifest["base_url"], options.download())
        files = (
            self._presenter.artifact(one["files"]["certificate"], Kind.CERTIFICATE) for one in authorities
        )
        self._crl_issuers = tuple(one.certificate for one in files if one and one.certificate)
        without_fault = (case.data for case in environment.cases() if case.fault is None)
        self._names = {data["name"]: self._common_name(data) for data in without_fault}
        self._presenter.taken = Counter(name for name in self._names.values() if name)
        without_fault = (case.data for case in environment.cases() if case.fault is None)
        self._presenter.keys = Counter(one["key"]["spki_sha256"] for one in (*without_fault, *authorities))

    def _look(self, url: str) -> PublishedCrl | None:
        return self._lookup.look(url)

    def concerns(self, data: dict[str, Any]) -> bool:
        """Return whether an end entity is checked.

        A case of another set is not, nor one whose verdict applies to a single second, which has passed.
        """
        if "fault" not in data:
            return True
        return "at" not in data["verdict"] and not self._sets.keys().isdisjoint(self._broken(data))

    def check(self, data: dict[str, Any]) -> CheckResult:
        """Check the files of an end entity; a case also against what its fault is to violate."""
        own_key = None if "fault" in data else data["key"]["spki_sha256"]
        presented, unread = self._presenter.present(
            data["files"], self._names.get(data["name"]), own_key, faulty="fault" in data
        )
        expected, names = None, self._required | self._bases.get(data["name"], set())
        if "fault" in data:
            broken = self._broken(data)
            expected = {name: self._expected(name, broken[name]) for name in self._sets if name in broken}
            names = set(expected)
        presented = replace(presented, crl_issuers=self._crl_issuers)
        sets = [one for name, one in self._sets.items() if name in names]
        revoked = data["revoked"] is not None or data["verdict"].get("stage") == "revocation"
        return check(data["name"], presented, sets, unread, expected, revoked=revoked and "fault" not in data)

    @staticmethod
    def _broken(data: dict[str, Any]) -> dict[str, list[str]]:
        """Return what a case violates by set: as its fault declares, or as the build recorded."""
        fault = data["fault"]
        if fault["against"]:
            return {fault["against"]: fault["violates"]}
        return {one["set"]: one["violates"] for one in data.get("uploads", ())}

    def _expected(self, name: str, broken: Iterable[str]) -> frozenset[str]:
        """Return what a case violates of a set, without what only certificate validation checks."""
        one = self._sets[name]
        checked = (r.id for r in one.requirements if self._options.validation or r.when == "always")
        return frozenset(broken).intersection(checked)

    def _common_name(self, data: dict[str, Any]) -> str | None:
        certificate = self._presenter.artifact(data["files"].get("certificate"), Kind.CERTIFICATE)
        if certificate is None or certificate.certificate is None:
            return None
        return next((name.lower() for name in values(certificate.certificate.subject, COMMON_NAME)), None)
