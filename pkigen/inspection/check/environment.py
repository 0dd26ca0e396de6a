"""Checks every certificate of a built environment against requirement sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pkigen.asn1.names import COMMON_NAME, values
from pkigen.cases.case import name_of_copy
from pkigen.documents.set_reference import parse_reference
from pkigen.documents.shipped import requirement_sets
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.presented_cases import CasePresenter
from pkigen.environment.set_files import recorded_set_files
from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind, read_path
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.requirements import CheckInput, PublishedCrl, RequirementSet, load_set
from pkigen.requirements.crl_lookup import CrlLookup
from pkigen.requirements.subject import PeerGroup
from pkigen.x509 import Certificate


def check_environment(
    folder: Path, sets: Sequence[RequirementSet] | None, options: CheckOptions
) -> Iterator[CheckResult]:
    """Return one result for each end entity, in the manifest's order; InputError for a missing file.

    Without ``sets`` a certificate is checked against its own sets, those of its profile and those that its
    negative cases violate; authorities with sets of their own come first. A case is checked against the set
    of its fault alone.
    """
    environment = open_environment(folder)
    return _Checker(environment, sets, options).check_all()


def sets_of(folder: Path) -> dict[str, RequirementSet]:
    """Return the sets of an environment, by their references and names; InputError for a missing one.

    The files of the profile's own sets are those that the last build used.
    """
    manifest = open_environment(folder).manifest
    entities = (*manifest["authorities"], *manifest["cases"])
    references = dict.fromkeys((*manifest["requirements"], *(ref for one in entities for ref in _own(one))))
    violated = dict.fromkeys(case["fault"]["against"] for case in manifest["cases"] if "fault" in case)
    own = any(re.split("[:,]", one)[0] not in requirement_sets() for one in (*references, *violated) if one)
    files = recorded_set_files(folder) if own else {}
    named = {text: _load(text, files) for text in {**references, **files}}
    known = {one.name: one for one in named.values()}
    for name in violated:
        if name and name not in known:
            known[name] = named[name] = load_set(name)
    return {**named, **known}


def _load(text: str, files: dict[str, str]) -> RequirementSet:
    """Return the set that a reference names, whose file has one of the recorded paths."""
    reference = parse_reference(text)
    try:
        return load_set(replace(reference, set=files.get(text, reference.set)))
    except InputError as error:
        advice = "The environment was built with this set; give its file with --against"
        problems = [replace(one, message=f"{one.message}. {advice}") for one in error.problems]
        raise InputError(problems) from error


def _own(entity: dict[str, Any]) -> list[str]:
    """Return the references of the sets of an entity itself."""
    own: list[str] = entity.get("requirements", [])
    return own


def _can_have_faulty_key(data: dict[str, Any]) -> bool:
    """Return whether the fault of an entity can be in its key file.

    The key file of other cases is encrypted as that of their base, with a passphrase to be given.
    """
    fault = data.get("fault")
    return fault is not None and (not fault["against"] or fault.get("file") == "key")


class _Checker:
    def __init__(
        self, environment: Environment, sets: Sequence[RequirementSet] | None, options: CheckOptions
    ) -> None:
        self._environment = environment
        manifest = environment.manifest
        named = sets_of(environment.folder) if sets is None else {one.name: one for one in sets}
        self._sets = {one.name: one for one in options.switched({s.name: s for s in named.values()}.values())}
        self._names_of_sets = {reference: one.name for reference, one in named.items()}
        required = named if sets is not None else manifest["requirements"]
        self._required = {self._names_of_sets[reference] for reference in required}
        self._of_authorities = {name for name, one in self._sets.items() if one.is_for_authorities}
        self._with_own = sets is None
        self._bases = dict[str, set[str]]()
        for fault in (case["fault"] for case in manifest["cases"] if "fault" in case):
            base = fault.get("authority") or fault["base"]
            self._bases.setdefault(base, set()).update({fault["against"]} - {""})
        trusted = read_path(environment.trust)
        anchors = tuple(one.certificate for one in trusted if one.certificate is not None)
        self._presenter = CasePresenter(
            environment.folder,
            options.now,
            anchors,
            self._look,
            options.passphrases,
            signed_by=environment.clock,
        )
        authorities = manifest["authorities"]
        self._authorities = {one["name"]: one for one in authorities}
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
        compares = any(one.compares_peers for one in self._sets.values())
        by_role = self._certificates_by_role() if compares else {}
        self._peers = dict[str, dict[str, PeerGroup]]()
        self._by_name = dict[str, set[bytes]]()
        for (set_name, role), by_name in by_role.items():
            self._peers.setdefault(set_name, {})[role] = PeerGroup(by_name.values())
            for name, certificate in by_name.items():
                self._by_name.setdefault(name, set()).add(certificate.der)
        self._presenter.keys = Counter(one["key"]["spki_sha256"] for one in (*without_fault, *authorities))

    def _certificates_by_role(self) -> dict[tuple[str, str], dict[str, Certificate]]:
        """Return the certificates without a fault by set and role, and by their names."""
        by_role = dict[tuple[str, str], dict[str, Certificate]]()
        for case in self._environment.cases():
            for reference in _own(case.data) if case.fault is None else ():
                one = self._sets.get(self._names_of_sets.get(reference, ""))
                artifact = self._presenter.artifact(case.data["files"]["certificate"], Kind.CERTIFICATE)
                if one and one.role and artifact and artifact.certificate:
                    named = by_role.setdefault((one.declared_name, one.role), {})
                    named[case.name] = artifact.certificate
        return by_role

    def _not_compared(self, data: dict[str, Any]) -> frozenset[bytes]:
        """Return the certificates that an end entity is not compared with: itself and the base of a case."""
        own = (data["name"], data.get("fault", {}).get("base"))
        return frozenset(der for name in own for der in self._by_name.get(name, ()))

    def check_all(self) -> Iterator[CheckResult]:
        """Yield the result of every entity that is checked."""
        for authority in self._environment.manifest["authorities"]:
            if self._sets_of_authority(authority) and "fault" not in authority:
                yield self._check_authority(authority)
        for case in self._environment.cases():
            if self.concerns(case.data):
                yield self.check(case.data)

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
        if data.get("fault", {}).get("authority"):
            return self._check_case_of_authority(data)
        own_key = None if "fault" in data else data["key"]["spki_sha256"]
        presented, unread = self._presenter.present(
            data["files"], self._names.get(data["name"]), own_key, faulty=_can_have_faulty_key(data)
        )
        own = self._bases.get(data["name"], set()) | self._own(data)
        expected, names = None, self._required - self._of_authorities | own
        if "fault" in data:
            expected = self._expected_of(data)
            names = set(expected)
        presented = replace(
            presented,
            crl_issuers=self._crl_issuers,
            peers=self._peers,
            not_compared=self._not_compared(data),
        )
        sets = [one for name, one in self._sets.items() if name in names]
        revoked = data["revoked"] is not None or data["verdict"].get("stage") == "revocation"
        return check(data["name"], presented, sets, unread, expected, revoked=revoked and "fault" not in data)

    def _own(self, data: dict[str, Any]) -> set[str]:
        """Return the names of the sets of an entity itself, unless sets were given."""
        return {self._names_of_sets[reference] for reference in _own(data)} if self._with_own else set()

    def _sets_of_authority(self, data: dict[str, Any]) -> set[str]:
        """Return the names of the sets that an authority must satisfy: its own, and those of its cases.

        If sets were given, every authority must satisfy those that are for authorities.
        """
        given = set() if self._with_own else self._of_authorities
        return given | self._own(data) | self._bases.get(data["name"], set()) & self._sets.keys()

    def _check_authority(self, data: dict[str, Any]) -> CheckResult:
        """Check the files of an authority against its sets."""
        presented, unread = self._presented_authority(data)
        names = self._sets_of_authority(data)
        sets = [one for name, one in self._sets.items() if name in names]
        return check(data["name"], presented, sets, unread, revoked=data["revoked"] is not None)

    def _check_case_of_authority(self, data: dict[str, Any]) -> CheckResult:
        """Check the authority of a case that the case was made for, under the name of the case."""
        presented, unread = self._presented_authority(self._copied_authority(data))
        expected = self._expected_of(data)
        sets = [one for name, one in self._sets.items() if name in expected]
        return check(data["name"], presented, sets, unread, expected)

    def _presented_authority(self, data: dict[str, Any]) -> tuple[CheckInput, tuple[Artifact, ...]]:
        own_key = None if "fault" in data else data["key"]["spki_sha256"]
        presented, unread = self._presenter.present(data["files"], None, own_key, faulty="fault" in data)
        return replace(presented, crl_issuers=self._crl_issuers, authority=True), unread

    def _copied_authority(self, data: dict[str, Any]) -> Any:
        """Return the authority in the path of a case that is a copy of the one that the fault names."""
        return self._authorities[name_of_copy(data["fault"]["authority"], data["name"])]

    def _expected_of(self, data: dict[str, Any]) -> dict[str, frozenset[str]]:
        """Return what a case is to violate, by set."""
        broken = self._broken(data)
        return {name: self._expected(name, broken[name]) for name in self._sets if name in broken}

    @staticmethod
    def _broken(data: dict[str, Any]) -> dict[str, list[str]]:
        """Return what a case violates by set: as its fault declares, or as the build recorded."""
        fault = data["fault"]
        if fault["against"]:
            return {fault["against"]: fault["violates"]}
        return {one["set"]: one["violates"] for one in data.get("uploads", ())}

    def _expected(self, name: str, broken: Iterable[str]) -> frozenset[str]:
        """Return what a case violates of a set, without what the switches exclude."""
        one = self._sets[name]
        return frozenset(broken).intersection(requirement.id for requirement in one.active)

    def _common_name(self, data: dict[str, Any]) -> str | None:
        certificate = self._presenter.artifact(data["files"].get("certificate"), Kind.CERTIFICATE)
        if certificate is None or certificate.certificate is None:
            return None
        return next((name.lower() for name in values(certificate.certificate.subject, COMMON_NAME)), None)
