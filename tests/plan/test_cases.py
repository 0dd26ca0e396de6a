"""Cases with a fault: their places in the profile, their names, keys and digests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.model import Entity
from pkigen.plan import Plan, plan
from pkigen.plan.negatives import own_host
from pkigen.profile import load
from tests.certification_requests import request

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_CERTIFICATES: dict[str, Any] = {"a": {"issuer": "issuing", "subject": {"CN": "a.test"}}}


def _plan(folder: Path | None = None, **changes: Any) -> Plan:
    document = {
        "name": "cases",
        "base_url": "http://pki.test",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": _CERTIFICATES,
    }
    return plan(load({**document, **changes}, folder=folder), _NOW, lambda *_: 7)


def _cases(folder: Path | None = None, **changes: Any) -> dict[str, Entity]:
    return {case.name: case for case in _plan(folder, **changes).certificates() if case.fault}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"certificates": {"s": {"issuer": "self", "faults": ["expired-intermediate"]}}},
            "certificates.s.faults: there is no intermediate CA above it",
        ),
        (
            {"negatives": [{"of": "a", "against": "defender-oit"}]},
            "negatives.0.against: no such requirement set: 'defender-oit' (did you mean 'defender-iot'?)",
        ),
        (
            {"negatives": [{"of": "a", "against": "apple-root-program:root"}]},
            "negatives.0.against: the role 'root' is for authorities; name one of them in 'of'",
        ),
        (
            {"negatives": [{"of": "issuing", "against": "etcd:client"}]},
            "negatives.0.against: the role 'client' is for end-entity certificates; name one of them in 'of'",
        ),
        (
            {"negatives": [{"of": "issuing", "faults": ["expired"]}]},
            "negatives.0.of: 'issuing' is an authority; faults of the catalog are for certificates",
        ),
        (
            {
                "negatives": [
                    {"of": "a", "faults": ["expired"]},
                    {"of": "a", "faults": ["expired", "country-3"]},
                ]
            },
            "negatives: two certificates would be called 'a.expired'",
        ),
        (
            {
                "certificates": {"a": {"issuer": "issuing", "faults": ["expired"]}},
                "negatives": [{"of": "a", "faults": ["expired"]}],
            },
            "negatives.0.of: 'a' has a fault itself, and a case has one wrong thing",
        ),
    ],
)
def test_an_impossible_case_is_an_error_at_its_key(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        _plan(**changes)
    assert str(caught.value).startswith(problem)


def test_cases_are_certificates_with_faults_then_negatives() -> None:
    certificates = {"bad": {"issuer": "issuing", "faults": ["expired"]}, **_CERTIFICATES}
    planned = _plan(certificates=certificates, negatives=[{"of": "a", "faults": ["country-3"]}])
    assert [case.name for case in planned.cases] == ["bad", "a.country-3"]
    assert [entity.name for entity in planned.certificates()] == ["bad", "a", "a.country-3"]


@pytest.mark.parametrize(
    ("faults", "verdict", "expected"),
    [
        (["expired", "country-3"], "R", "reject"),
        (["country-3", "serial-zero"], "P", "accept"),
        (["country-3"], "P", "accept"),
    ],
)
def test_the_worst_of_several_faults_decides(faults: list[str], verdict: str, expected: str) -> None:
    (case,) = _cases(negatives=[{"of": "a", "faults": faults, "combine": True}]).values()
    assert case.fault is not None
    assert set(case.fault.id.split("+")) == set(faults)
    assert (case.fault.verdict, case.fault.expected) == (verdict, expected)


def test_a_case_with_the_key_of_a_device_has_that_key_and_no_key_fault(tmp_path: Path) -> None:
    (tmp_path / "d.csr").write_bytes(request("a.test"))
    certificates = {"a": {"issuer": "issuing", "csr": "d.csr"}}
    negatives = [{"of": "a", "faults": ["expired", "self-signed", "key-mismatch"]}]
    planned = _plan(tmp_path, certificates=certificates, negatives=negatives)
    base, case, *others = planned.certificates()
    assert (case.name, case.given, case.key_of) == ("a.expired", base.given, "")
    assert all(other.given is None or other.given == base.given for other in others)
    assert all("private key is on the device" in skipped.reason for skipped in planned.passed)
    own = next(iter(_cases(negatives=[{"of": "a", "faults": ["expired"]}]).values()))
    assert (own.given, own.key_of) == (None, "cases of a")


def test_a_case_names_the_fault_of_its_request_in_its_digest() -> None:
    negatives = [{"of": "a", "faults": ["expired", "not-yet-valid"]}]
    one, other = (case.certificates[0].spec for case in _cases(negatives=negatives).values())
    assert one.startswith("faults=")
    assert one.partition(";")[0] != other.partition(";")[0]


def test_a_case_of_a_set_with_peers_differs_from_other_certificates_of_the_role() -> None:
    role = ["etcd:peer"]
    certificate = {"issuer": "issuing", "requirements": role, "san": ["dns:{{ name }}.test", "ip:10.0.0.1"]}
    certificates = {
        "m-{1..2}": certificate,
        "bad": {"issuer": "issuing", "requirements": role, "faults": ["expired"]},
    }
    planned = _plan(certificates=certificates, negatives=[{"of": "m-1", "against": "etcd:peer"}])
    assert {case.fault.against for case in planned.cases if case.fault and case.name != "bad"} == {
        "etcd:peer"
    }
    assert planned.own_sets["certificates/m-1"] == {"etcd:peer": "etcd:peer"}


@pytest.mark.parametrize("length", range(40, 64))
@pytest.mark.parametrize("wildcard", ["", "*."])
def test_a_host_name_of_a_case_uses_the_room_of_a_common_name(length: int, wildcard: str) -> None:
    former = wildcard + "h" * (length - 5) + ".test"
    host = own_host(former, "f" * 80)
    assert len(host) == 64
    fits = length + len(wildcard) + 1 <= 54
    assert host.startswith(f"{wildcard}f" if fits else "ff")
    assert host.endswith("." + former.removeprefix("*.")) is fits
