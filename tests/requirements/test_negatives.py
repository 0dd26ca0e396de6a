"""Every negative case breaks the demand that it was made for, and no other of its set."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen import build
from pkigen.inspection.check import CheckOptions, check_environment
from pkigen.requirements import Requirement, Violation, load_set
from tests.requirements.environments import BASE, HIERARCHIES, SETS, Built, Environments

ENVIRONMENTS = [
    *((against, "issuing") for against in SETS),
    ("defender-iot", "root"),
    ("defender-iot", "policy"),
    ("rfc5280", "root"),
    ("rfc5280", "policy"),
]
ROOT_ALONE = {
    *("chain-issuer-without-issuer", "chain-complete-without-root"),
    *("ca-basic-constraints-missing", "ca-policy-mappings-from-any", "ca-policy-mappings-to-any"),
}
"""What a chain of one certificate cannot have, and what nobody minds in a root."""


OF_ABSENT_EXTENSIONS = {
    *("ca-only-extensions", "ca-critical-extensions", "ca-policy-mappings", "ca-policy-mappings-critical"),
    *(
        "extension-not-critical",
        "ian-not-critical",
        "ian-syntax",
        "name-constraints",
        "policies",
        "san-email",
    ),
}
"""Requirements about extensions or attributes that the certificates of these environments do not have."""


@pytest.fixture(params=ENVIRONMENTS, ids="-below-".join, scope="module")
def built(request: pytest.FixtureRequest, environments: Environments) -> Built:
    """Each set, and two of them below shorter and longer paths."""
    return environments.of(*request.param)


def _ways(built: Built) -> dict[str, tuple[Requirement, Violation]]:
    """Every way to break every demand, by the id of its case."""
    return {
        f"{requirement.id}-{way.variant}".removesuffix("-"): (requirement, way)
        for requirement in built.against.requirements
        for way in requirement.violations()
    }


def _diff(expected: set[str], actual: set[str]) -> str:
    missing, surplus = sorted(expected - actual), sorted(actual - expected)
    return f"does not break {missing}, breaks {surplus} besides"


def test_a_case_violates_exactly_what_the_manifest_states(built: Built) -> None:
    wrong = {}
    for fault, case in built.cases.items():
        violated = {one.requirement.id for one in built.results[case["name"]].broken}
        expected = set(case["fault"]["violates"])
        if violated != expected:
            wrong[fault] = _diff(expected, violated)
    assert wrong == {}


def test_an_upload_of_a_case_shows_the_message_in_the_manifest(built: Built) -> None:
    wrong = {}
    for fault, case in built.cases.items():
        (verdict,) = built.results[case["name"]].verdicts
        expected = (case["fault"]["accepted"], set(case["fault"]["messages"]))
        if expected != (verdict.accepted, set(verdict.messages)):
            wrong[fault] = (expected, verdict.accepted, verdict.messages)
    assert wrong == {}


def test_every_violation_of_a_demand_is_a_case_or_has_a_reason(built: Built) -> None:
    made = {*built.cases, *(name.removeprefix(f"{BASE}.") for name in built.passed)}
    assert made == set(_ways(built))
    assert all(built.passed.values())


def test_every_requirement_has_a_case(built: Built) -> None:
    ways = _ways(built).items()
    with_case = {requirement.id for fault, (requirement, _) in ways if fault in built.cases}
    excused = {requirement.id for fault, (requirement, _) in ways if fault in _passed(built)}
    assert {one.id for one in built.against.requirements} - with_case - excused == set()


def _passed(built: Built) -> set[str]:
    return {name.removeprefix(f"{BASE}.") for name in built.passed}


def test_below_a_root_only_cases_that_need_an_intermediate_are_omitted(built: Built) -> None:
    depth = len(built.results[BASE].presented.path)
    assert depth in map(len, HIERARCHIES.values())
    assert _passed(built) == (ROOT_ALONE & set(_ways(built)) if depth == 1 else set())


def test_several_demands_are_violated_only_if_the_set_declares_them_together(built: Built) -> None:
    ways = _ways(built)
    for fault, case in built.cases.items():
        requirement, way = ways[fault]
        expected = (requirement.id, *requirement.together_with(way.variant))
        assert tuple(case["fault"]["violates"]) == expected
        assert expected.count(requirement.id) == 1


def test_a_case_is_named_after_its_base_and_its_fault(built: Built) -> None:
    for fault, case in built.cases.items():
        assert case["name"] == f"{BASE}.{fault}"
        assert case["fault"]["base"] == BASE
        assert case["fault"]["against"] == built.against.name
        assert case["fault"]["says"].endswith(".")


def test_certificates_without_a_fault_violate_nothing_and_are_accepted(built: Built) -> None:
    sound = [one for one in built.checked if one.expected is None]
    assert [one.name for one in sound] == ["sensor-01", "sensor-02"]
    for one in sound:
        assert [finding.requirement.id for finding in one.broken] == []
        assert [verdict.accepted for verdict in one.verdicts] == [True]
        assert [verdict.undecided for verdict in one.verdicts] == [()]


def test_only_the_passphrase_of_a_certificate_without_a_fault_is_undecided(built: Built) -> None:
    open_ = {f.requirement.id for f in built.results[BASE].findings if f.outcome.status == "not applicable"}
    assert open_ <= {"passphrase-characters", "aia-not-critical", *OF_ABSENT_EXTENSIONS}


def test_clients_can_tell_cases_apart_by_name_and_by_serial(built: Built) -> None:
    cases = built.manifest["cases"]
    issued = [(case["issuer"], case["serial"]) for case in cases]
    assert len(set(issued)) == len(issued)
    hosts = [
        host
        for case in cases
        if "shared" not in case["name"] and "wildcard" not in case["name"]
        for host in case["hosts"]
    ]
    assert len(set(hosts)) == len(hosts)


def test_no_case_changes_files_of_certificates_without_a_fault(built: Built) -> None:
    copies = [one for one in built.manifest["authorities"] if "fault" in one]
    originals = {one["name"] for one in built.manifest["authorities"] if "fault" not in one}
    assert originals <= {name for path in HIERARCHIES.values() for name in path}
    for copy in copies:
        assert copy["name"].split(".")[0] in originals
        assert copy["serial"] not in {one["serial"] for one in built.manifest["authorities"] if one != copy}


def test_a_signature_that_the_key_of_a_ca_cannot_create_is_no_case(tmp_path: Path) -> None:
    document = {
        "name": "ec",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"server": {"issuer": "issuing", "subject": {"CN": "server.contoso.test"}}},
        "negatives": [{"of": "server", "against": "web-server"}],
    }
    names = {case.name for case in build(document, tmp_path).cases()}
    assert "server.issuer-no-weak-digest-sha1" in names
    assert "server.issuer-no-weak-digest-md5" not in names


FIXED_NAME = """
name: scheduler
title: Scheduler
source: {title: Documentation, date: 2026}
requirements:
  - id: name
    demand: {subject_attribute: {type: CN, pattern: "system:[a-z-]+", counterexample: other}}
    level: rejected
    section: "1"
    says: The common name begins with system.
  - id: uri
    demand: {san: {exactly: {uri: 1}, values: {uri: {pattern: "spiffe://[^/]+/.+", counterexample: "https://a"}}}}
    level: rejected
    section: "2"
    says: The certificate has one SPIFFE ID.
"""


def test_a_case_of_a_set_that_fixes_the_common_name_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(FIXED_NAME)
    document = {
        "name": "fixed",
        "defaults": {"key": "ec-p256"},
        "requirements": [str(tmp_path / "own.yaml")],
        "authorities": {"root": {}},
        "certificates": {
            "leaf": {"issuer": "root", "subject": {"CN": "system:leaf"}, "san": ["uri:spiffe://a.test/b"]}
        },
        "negatives": [{"of": "leaf", "against": str(tmp_path / "own.yaml")}],
    }
    build(document, tmp_path / "out")
    demands = load_set(str(tmp_path / "own.yaml"))
    checked = check_environment(tmp_path / "out" / "fixed", [demands], CheckOptions())
    assert {one.name: [finding.requirement.id for finding in one.broken] for one in checked} == {
        "leaf": [],
        "leaf.name-pattern": ["name"],
        **{f"leaf.uri-{variant}": ["uri"] for variant in ("missing", "no-uri", "too-many-uri", "uri-value")},
    }


def test_a_case_without_a_common_name_has_its_own_dns_name(tmp_path: Path) -> None:
    document = {
        "name": "nameless",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {
            "leaf": {"issuer": "root", "subject": {"CN": ""}, "san": ["ip:192.0.2.1", "dns:leaf.test"]}
        },
        "negatives": [{"of": "leaf", "faults": ["expired", "not-yet-valid"]}],
    }
    cases = {case.name: case.hosts for case in build(document, tmp_path).cases()}
    assert cases == {
        "leaf": ("192.0.2.1", "leaf.test"),
        "leaf.expired": ("192.0.2.1", "expired.leaf.test"),
        "leaf.not-yet-valid": ("192.0.2.1", "not-yet-valid.leaf.test"),
    }
