"""Plans of fleets: which certificates have a fault, and that the encoder agrees with full plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.issue import Signer
from pkigen.plan import plan
from pkigen.plan.compliance import requirement_notes
from pkigen.plan.fleets import FleetPlan
from pkigen.profile import load

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _fleet(*, requirements: list[str] | None = None, crl: Any = None, **fields: Any) -> FleetPlan:
    document = {
        "name": "fleets",
        "requirements": requirements or [],
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {"crl": crl} if crl else {}},
        "fleets": {"meter": {"issuer": "root", "subject": {"CN": "{{ name }}.test"}, **fields}},
    }
    (fleet,) = plan(load(document), _NOW, lambda *_: 7).fleets
    return fleet


def test_every_nth_certificate_has_one_of_the_faults_in_turn() -> None:
    fleet = _fleet(count=9, faults={"every": 2, "of": ["expired", "country-3"]})
    faulty = fleet.faulty(range(1, 10), 100)
    assert {index: entity.fault.id for index, entity in faulty.items() if entity.fault} == {
        2: "expired",
        4: "country-3",
        6: "expired",
        8: "country-3",
    }
    assert [entity.certificates[0].serial for entity in faulty.values()] == [102, 104, 106, 108]
    assert _fleet(count=3).faulty(range(1, 4), 100) == {}


@pytest.mark.parametrize("fault", ["key-mismatch", "expired-intermediate", "serial-duplicate", "crl-expired"])
def test_a_fault_beyond_the_certificate_is_an_error_at_its_place(fault: str) -> None:
    with pytest.raises(InputError, match=r"^fleets.meter.faults.of.1: .*a fleet cannot have it$"):
        _fleet(count=2, faults={"every": 1, "of": ["expired", fault]})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"crl": {"partitions": 3}},
        {"revoked": {"every": 2, "reason": "superseded"}, "faults": {"every": 2, "of": ["expired"]}},
        {"subject": {"CN+UID": ["{{ name }}.test", "{{ index }}"]}},
        {"san": ["dns:{{ name }}.test", "ip:10.0.0.{{ index }}"]},
    ],
)
def test_the_encoder_of_a_fleet_agrees_with_full_plans(fields: dict[str, Any]) -> None:
    fleet = _fleet(count=9, **fields)
    stencil = fleet.stencil(Signer(ec.derive_private_key(1, ec.SECP256R1()), bytes(20)))
    fleet.check(stencil, range(1, 10), 1 << 40)
    assert (stencil.fleet.settings.faults, stencil.fleet.settings.revoked) == (None, None)
    other = replace(stencil, issuer=b"\x30\x00")
    with pytest.raises(EnvironmentFailure, match="meter-1: the fleet's encoder and the plan disagree"):
        fleet.check(other, [1], 1 << 40)


@pytest.mark.parametrize(
    ("count", "checked"), [(3, "all certificates"), (1234, "a sample of 20 of 1,234 certificates")]
)
def test_a_fleet_with_requirements_states_what_was_checked(count: int, checked: str) -> None:
    words = f"fleet meter: the requirements were checked on {checked}, which share one template"
    assert list(requirement_notes(_fleet(count=count, requirements=["rfc5280"]))) == [words]
    assert list(requirement_notes(_fleet(count=count))) == []
