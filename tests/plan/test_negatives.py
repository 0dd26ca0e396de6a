"""Cases as plans: their names, serial numbers and aliases, copies of authorities, and conditions."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pkigen.cases.case import common_name
from pkigen.model import Entity
from pkigen.plan import Plan, plan
from pkigen.profile import load

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_HEAD = """
name: plant
title: Plant network
source: {title: Plant handbook, date: "2026"}
roles:
  device: {says: A device}
  ca: {says: The issuing CA, authority: true}
  root: {says: The root, authority: true}
requirements:
"""
_LIFE = """
  - id: life
    demand: {validity: {maximum: 5000d}}
    level: rejected
    says: The certificate is valid for at most 5,000 days.
"""
_IF = """
  - id: life
    if: {condition}
    then: {{validity: {{maximum: 5000d}}}}
    level: rejected
    says: The certificate is valid for at most 5,000 days.
"""
_NAME = """
  - id: name
    demand: {subject_attribute: {type: CN, pattern: "system:[a-z-]+", counterexample: other}}
    level: rejected
    says: The common name begins with system.
"""
_CHAIN = """
  - id: chain
    demand: {chain_file: {issued_by: true}}
    level: rejected
    says: The chain contains the CA that issued the certificate.
"""
_STORE = """
  - id: store
    demand: {combined_file: {encodings: [PKCS#12], alias: {pattern: server, counterexample: other}}}
    level: rejected
    says: The alias of the key is server.
"""


def _plan(
    folder: Path, requirements: str, role: str, of: str = "a", certificate: dict[str, Any] | None = None
) -> Plan:
    """Return a plan with the cases of one negative, and a different serial number for each certificate."""
    (folder / "plant.yaml").write_text(_HEAD + requirements)
    document = {
        "name": "cases",
        "base_url": "http://pki.test",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"valid": {"for": "4000d"}},
            "issuing": {"issuer": "root", "valid": {"for": "4000d"}},
        },
        "certificates": {"a": {"issuer": "issuing", "subject": {"CN": "a.test"}, **(certificate or {})}},
        "negatives": [{"of": of, "against": {"set": str(folder / "plant.yaml"), "role": role}}],
    }
    numbers = count(1)
    return plan(load(document), _NOW, lambda *_: next(numbers))


def _cases(planned: Plan) -> dict[str, Entity]:
    return {entity.name: entity for entity in planned.certificates() if entity.fault}


def _days(entity: Entity) -> int:
    certificate = entity.certificates[0]
    return (certificate.not_after - certificate.not_before).days


@pytest.mark.parametrize(
    ("of", "role", "lives"), [("root", "root", (4000, 5000)), ("issuing", "ca", (5000, 4000))]
)
def test_a_case_of_an_authority_changes_its_own_copy_of_it_alone(
    tmp_path: Path, of: str, role: str, lives: tuple[int, int]
) -> None:
    planned = _plan(tmp_path, _LIFE, role, of)
    (case,) = _cases(planned).values()
    assert case.fault is not None
    assert (case.fault.authority, case.fault.against) == (of, "plant:" + role)
    above = {entity.id: entity for entity in planned.authorities}
    issuing, root = (above[issuer] for issuer in case.issuers)
    assert tuple(_days(one) // 1000 * 1000 for one in (issuing, root)) == lives
    assert case.certificates[0].issuer_id == issuing.id != "authorities/issuing"
    assert {_days(above[f"authorities/{name}"]) for name in ("issuing", "root")} == {4000}


def test_cases_and_copied_authorities_have_their_own_serial_numbers(tmp_path: Path) -> None:
    planned = _plan(tmp_path, _LIFE, "root", "root")
    entities = [*planned.authorities, *planned.certificates()]
    assert len(entities) == 6
    assert len({entity.certificates[0].serial for entity in entities}) == 6


@pytest.mark.parametrize(
    ("condition", "role", "holds"),
    [
        ("{public_key: {families: [ec]}}", "device", True),
        ("{public_key: {families: [rsa]}}", "device", False),
        ("{public_key: {families: [ec]}}", "ca", True),
        ("{public_key: {families: [rsa]}}", "ca", False),
        ("{authority_key_identifier: {matches_issuer: true}}", "device", True),
        ("{subject_key_identifier: {method_1: true}}", "device", True),
    ],
)
def test_a_requirement_whose_condition_does_not_hold_has_no_case(
    tmp_path: Path, condition: str, role: str, holds: bool
) -> None:
    of = "issuing" if role == "ca" else "a"
    planned = _plan(tmp_path, _IF.format(condition=condition), role, of)
    reasons = [one.reason for one in planned.passed]
    assert [one.startswith("the condition of the requirement does not hold: ") for one in reasons] == (
        [] if holds else [True]
    )
    assert len(_cases(planned)) == (1 if holds else 0)


@pytest.mark.parametrize(("issuer", "verdict"), [("root", (None, "accept")), ("issuing", ("path", "reject"))])
def test_the_chain_file_decides_only_if_there_is_a_ca_below_the_root(
    tmp_path: Path, issuer: str, verdict: tuple[str | None, str]
) -> None:
    fault = _cases(_plan(tmp_path, _CHAIN, "device", certificate={"issuer": issuer}))[
        "a.chain-other-ca"
    ].fault
    assert fault is not None
    assert (fault.stage, fault.expected) == verdict


def test_a_case_has_its_own_host_name_unless_the_set_fixes_the_name(tmp_path: Path) -> None:
    cases = _cases(_plan(tmp_path, _LIFE, "device")).values()
    assert [case.hosts for case in cases] == [("life-too-long.a.test",)]
    fixed = {"subject": {"CN": "system:a"}, "san": ["dns:a.test"]}
    case = _cases(_plan(tmp_path, _LIFE + _NAME, "device", certificate=fixed))["a.life-too-long"]
    assert case.hosts == ("a.test",)
    assert common_name(case.certificates[0].subject) == "system:a"


def test_a_case_of_a_set_about_key_stores_has_the_alias_of_its_base(tmp_path: Path) -> None:
    store = {"formats": ["pkcs12"], "pkcs12": {"alias": "server"}}
    for certificate, requirements, alias in (
        (store, _LIFE, "server"),
        ({"formats": ["pkcs12"]}, _LIFE, "a.life-too-long"),
        ({"formats": ["pkcs12"]}, _LIFE + _STORE, "a"),
    ):
        planned = _plan(tmp_path, requirements, "device", certificate=certificate)
        assert _cases(planned)["a.life-too-long"].output.alias == alias


def test_both_certificates_of_a_case_have_their_own_host_names() -> None:
    document = {
        "name": "twins",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {
            "a": {"issuer": "root", "subject": {"CN": "a.test"}, "san": ["dns:a.test", "dns:b.test"]}
        },
        "negatives": [{"of": "a", "faults": ["serial-duplicate"]}],
    }
    case, twin = _cases(plan(load(document), _NOW, None)).values()
    assert (case.hosts, twin.hosts) == (
        ("serial-duplicate.a.test", "b.test"),
        ("serial-duplicate-twin.a.test", "b.test"),
    )
