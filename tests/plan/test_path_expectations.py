"""Expected verdicts of mistakes that a profile states with typed keys, compared with OpenSSL's verdicts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen import BuildOptions, build, load
from pkigen.environment.build.dry_run import preview
from pkigen.environment.build.expected_cases import expected_cases
from tests.openssl import Judge

_CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
_POLICY, _OTHER_POLICY = "1.3.6.1.4.1.55555.1", "1.3.6.1.4.1.55555.2"

# Issuing authority, certificate, whether a client may accept it.
_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "plain": ({}, {}, True),
    "not-a-ca": ({"basic_constraints": {"ca": "false"}}, {}, False),
    "no-basic-constraints": ({"basic_constraints": "none"}, {}, False),
    "expired-issuer": ({"valid": {"from": "-40d", "to": "-1d"}}, {}, False),
    "future-issuer": ({"valid": {"from": "+1d", "to": "+40d"}}, {}, False),
    "no-cert-sign": ({"key_usage": ["cRLSign"]}, {}, False),
    "no-crl-sign": ({"key_usage": ["keyCertSign"]}, {}, False),
    "no-key-usage": ({"key_usage": "none"}, {}, True),
    "unknown-critical-issuer": (
        {"extensions": [_UNKNOWN := {"oid": "1.2.3.4", "critical": "true", "der": "0500"}]},
        {},
        False,
    ),
    "unknown-critical": ({}, {"extensions": [_UNKNOWN]}, False),
    "unknown": ({}, {"extensions": [{**_UNKNOWN, "critical": "false"}]}, True),
    "malformed-names": ({}, {"extensions": [{"oid": "2.5.29.17", "der": "3003820561"}]}, False),
    "malformed-constraints": ({}, {"extensions": [{"oid": "2.5.29.19", "der": "30030101"}]}, False),
    "permitted-dns": ({"name_constraints": {"permitted": ["dns:a.test"]}}, {"san": ["dns:x.a.test"]}, True),
    "not-permitted-dns": (
        {"name_constraints": {"permitted": ["dns:a.test"]}},
        {"san": ["dns:b.test"]},
        False,
    ),
    "excluded-ip": ({"name_constraints": {"excluded": ["ip:10.0.0.0/8"]}}, {"san": ["ip:10.1.2.3"]}, False),
    "not-permitted-cn": (
        {"name_constraints": {"permitted": ["dns:a.test"]}},
        {"san": "none", "subject": {"CN": "x.b.test"}},
        False,
    ),
    "not-permitted-subject": (
        {"name_constraints": {"permitted": [{"dirname": {"O": "Permitted"}}]}},
        {"subject": {"O": "Other"}},
        False,
    ),
    "excluded-email": (
        {"name_constraints": {"excluded": ["email:b.test"]}},
        {"san": ["dns:c.test", "email:a@b.test"]},
        False,
    ),
    "unsupported-constraint": (
        {"name_constraints": {"permitted": ["rid:1.2.3"]}},
        {"san": ["dns:c.test", "rid:1.2.3"]},
        False,
    ),
    "policy-required": ({"policies": [_POLICY], "policy_constraints": {"require_explicit": "0"}}, {}, False),
    "policy-met": (
        {"policies": [_POLICY], "policy_constraints": {"require_explicit": "0"}},
        {"policies": [_POLICY]},
        True,
    ),
    "policy-differs": (
        {"policies": [_POLICY], "policy_constraints": {"require_explicit": "0"}},
        {"policies": [_OTHER_POLICY]},
        False,
    ),
    "client-ca": ({"extended_key_usage": ["clientAuth"]}, {"extended_key_usage": ["serverAuth"]}, False),
    "client-ca-of-a-client": (
        {"extended_key_usage": ["clientAuth"]},
        {"extended_key_usage": ["clientAuth"]},
        True,
    ),
    "code-signing": ({}, {"extended_key_usage": ["codeSigning"]}, True),
}
_PROFILE: dict[str, Any] = {
    "name": "typed",
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {},
        **{f"ca-{name}": {"issuer": "root", **authority} for name, (authority, _, _) in _CASES.items()},
        "no-room": {"issuer": "root", "path_length": "0"},
        "too-deep": {"issuer": "no-room"},
        "root-expired": {"valid": {"from": "-40d", "to": "-1d"}},
        "below-expired": {"issuer": "root-expired"},
    },
    "certificates": {
        **{name: {"issuer": f"ca-{name}", **certificate} for name, (_, certificate, _) in _CASES.items()},
        "path-length": {"issuer": "too-deep"},
        "root-expired-leaf": {"issuer": "below-expired"},
        "control": {"issuer": "ca-not-a-ca", "faults": ["chain-includes-root"]},
    },
    "negatives": [
        {"of": "expired-issuer", "faults": ["ext-unknown-noncritical", "chain-duplicate-intermediate"]}
    ],
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(_PROFILE, tmp_path_factory.mktemp("typed"), BuildOptions(at=_CLOCK, keys="pool"))


def test_the_manifest_expects_what_path_validation_returns(environment: Any) -> None:
    expected = {name: accepted for name, (_, _, accepted) in _CASES.items()}
    expected |= {"path-length": False, "root-expired-leaf": False}
    cases = {case.name: case.expected == "accept" for case in environment.cases() if not case.fault}
    assert cases == expected


def test_a_case_whose_fault_is_accepted_is_rejected_below_a_defective_authority(environment: Any) -> None:
    faulty = [case for case in environment.cases() if case.fault]
    assert faulty
    assert {case.expected for case in faulty} == {"reject"}


def test_a_case_with_its_own_copy_of_the_issuing_authority_is_accepted_if_its_fault_is(
    tmp_path: Path,
) -> None:
    profile = {
        "name": "copies",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"a": {"issuer": "issuing"}},
        "negatives": [{"of": "a", "faults": ["serial-zero", "country-3"]}],
    }
    cases = expected_cases(load(profile), _CLOCK)
    assert {case.name: case.expected for case in cases} == {
        "a": "accept",
        "a.serial-zero": "accept",
        "a.country-3": "accept",
    }


def test_a_path_through_self_issued_authorities_is_accepted() -> None:
    profile = {
        "name": "rollover",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {},
            "old": {"issuer": "root", "subject": {"CN": "A"}},
            "new": {"issuer": "old", "subject": {"CN": "A"}},
        },
        "certificates": {"a": {"issuer": "new"}},
    }
    assert [case.expected for case in expected_cases(load(profile), _CLOCK)] == ["accept"]


def test_the_expected_cases_of_the_profile_equal_the_manifest(environment: Any) -> None:
    assert [(one.name, one.expected, one.stage) for one in expected_cases(load(_PROFILE), _CLOCK)] == [
        (case.name, case.expected, case.stage) for case in environment.cases()
    ]


@pytest.mark.needs("openssl")
def test_openssl_agrees_about_every_case_without_a_fault(environment: Any) -> None:
    judge, at = Judge(environment.folder), int(_CLOCK.timestamp())
    # The judge verifies this certificate as a server's.
    cases = [case for case in environment.cases() if not case.fault and case.name != "code-signing"]
    verdicts = {case.name: judge.verify(case.data, "-policy", "2.5.29.32.0", at=at) == "" for case in cases}
    assert verdicts == {case.name: case.expected == "accept" for case in cases}


def test_the_plan_announces_certificates_that_clients_reject(tmp_path: Path) -> None:
    names = {f"n{number}": {"issuer": "ca-not-a-ca"} for number in range(5)}
    profile = load({**_PROFILE, "certificates": {"plain": {"issuer": "ca-plain"}, **names}, "negatives": []})
    notes = preview(profile, tmp_path, BuildOptions(at=_CLOCK)).notes
    (note,) = [one for one in notes if " expires on " not in one]
    assert note.startswith("clients reject n0, n1, n2 and 2 more: the CA [CN=ca-not-a-ca] issued ")
