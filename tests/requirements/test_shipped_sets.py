"""The profile of each shipped set satisfies it; each case violates exactly the intended requirement."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from pkigen.documents import shipped
from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.plan import plan
from pkigen.plan.compliance import set_of
from pkigen.profile import load
from pkigen.requirements import RequirementSet
from pkigen.requirements.catalogue import catalogue
from pkigen.requirements.library import by_role
from pkigen.requirements.loader import load_declared
from tests.environment.profiles import build_it, manifest
from tests.requirements import environments

SETS = [name for name in shipped.requirement_sets() if name not in environments.SETS]

WITHOUT_CASE: dict[tuple[str, str], str] = {
    ("entra-cba", "crl-size"): "a CRL of more than 20 MB would make the build slow and large",
    ("ocpp", "request-size"): "it is about the request, which the certificates of a profile do not have",
    (
        "azure-application-gateway",
        "root-file",
    ): "a build reads the files of CAs, so no case changes them",
    ("chrome-root-program", "server-purpose-alone"): "it applies to certificates issued from 2027-03-15 on",
    ("tls-br", "key-usage-digital-signature"): "the keys of the profile are on elliptic curves",
    **{
        (name, "pki-directory"): "it is about the directories that `pkigen export` writes"
        for name in ("opcua", "opcua-asyncua", "opcua-dotnet", "opcua-node-opcua", "opcua-s7-1500")
    },
}
"""The requirements without a case, as (set, requirement), and why no certificate violates only these."""


@dataclass(frozen=True)
class _Shipped:
    """A built profile: ``ways`` and ``cases`` count violations and cases by set and role."""

    declared: RequirementSet
    ways: Counter[str]
    passed: dict[str, str]
    manifest: dict[str, Any]
    checked: tuple[CheckResult, ...]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The faults of the cases of this set."""
        faults = (case["fault"] for case in self.manifest["cases"] if "fault" in case)
        return [one for one in faults if one["against"] in self.ways]


@pytest.fixture(params=SETS, scope="module")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Shipped:
    name = request.param
    if name not in shipped.names():
        pytest.fail(f"the set '{name}' has no profile; add profiles/{name}.yaml", pytrace=False)
    profile = load(name)
    folder = build_it(name, tmp_path_factory.mktemp(name), keys="pool").folder
    built_manifest = manifest(folder)
    clock = datetime.fromisoformat(built_manifest["clock"])
    sets = [set_of(profile, one.against, ()) for one in profile.negatives if one.against is not None]
    return _Shipped(
        load_declared(name),
        Counter(entry.set.name for entry in catalogue(sets)),
        {one.name: one.reason for one in plan(profile, clock, lambda *_: 1).passed},
        built_manifest,
        tuple(check_environment(folder, None, CheckOptions(now=clock))),
    )


def test_the_profile_has_a_certificate_and_cases_for_every_role(built: _Shipped) -> None:
    roles = {one.name for one in by_role(built.declared)}
    assert roles <= set(built.ways), "add an entry of 'negatives' for each of these roles"
    checked = {finding.set.name for one in built.checked if one.expected is None for finding in one.findings}
    assert roles <= checked


def test_certificates_without_a_fault_violate_nothing(built: _Shipped) -> None:
    sound = [one for one in built.checked if one.expected is None]
    assert {one.name: [finding.requirement.id for finding in one.broken] for one in sound if one.broken} == {}
    assert [one.name for one in sound if one.unread] == []


def test_a_case_violates_exactly_the_intended_requirement(built: _Shipped) -> None:
    wrong = {one.name: one.surprises(name) for one in built.checked for name in one.expected or ()}
    assert {name: ids for name, ids in wrong.items() if ids != (frozenset(), frozenset())} == {}


def test_every_violation_has_a_case_or_a_reason(built: _Shipped) -> None:
    assert len(built.faults) + len(built.passed) == sum(built.ways.values())
    assert all(built.passed.values())


def test_every_requirement_has_a_case(built: _Shipped) -> None:
    violated = {one["violates"][0] for one in built.faults}
    name = built.declared.name
    without = {one.id for one in built.declared.requirements} - violated
    assert without == {requirement for of, requirement in WITHOUT_CASE if of == name}
