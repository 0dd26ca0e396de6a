"""Requirement sets of single entities, of authorities and of bases: loaded once, and with their problems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.plan import plan
from pkigen.plan.compliance import obey, own_sets, sets_named
from pkigen.profile import Profile, load

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_SUBORDINATE = "apple-root-program:subordinate-ca"


def _profile(certificates: dict[str, Any], *, issuing: dict[str, Any] | None = None, **head: Any) -> Profile:
    return load(
        {
            "name": "own",
            "base_url": "http://pki.test",
            "defaults": {"key": "ec-p256"},
            "authorities": {"root": {}, "issuing": {"issuer": "root", **(issuing or {})}},
            "certificates": {name: {"issuer": "issuing", **fields} for name, fields in certificates.items()},
            **head,
        }
    )


def _obey(profile: Profile) -> str:
    """Return the problems of a plan."""
    planned = plan(profile, _NOW, None)
    try:
        obey(profile, _NOW, planned.authorities, planned.certificates(), planned.fleets)
    except InputError as error:
        return str(error)
    return ""


def test_each_entity_has_its_own_sets() -> None:
    certificates = {
        "a": {"requirements": ["rfc5280"]},
        "b": {"requirements": ["rfc5280", "etcd:client"]},
        "c": {},
    }
    profile = _profile(certificates, issuing={"requirements": [_SUBORDINATE]}, requirements=["defender-iot"])
    sets = own_sets(profile)
    assert {entity: list(own) for entity, own in sets.items()} == {
        "authorities/issuing": [_SUBORDINATE],
        "certificates/a": ["rfc5280"],
        "certificates/b": ["rfc5280", "etcd:client"],
    }
    assert sets["certificates/a"]["rfc5280"] is sets["certificates/b"]["rfc5280"]
    assert [one.name for one in sets_named(profile)] == [
        "defender-iot",
        _SUBORDINATE,
        "rfc5280",
        "etcd:client",
    ]


def test_every_missing_set_is_an_error_at_its_entity() -> None:
    certificates = {
        "a": {"requirements": ["rfc5280", "none.yaml"]},
        "b": {"requirements": ["none.yaml"]},
        "c": {"requirements": ["nor.yaml"]},
    }
    with pytest.raises(InputError) as caught:
        own_sets(_profile(certificates))
    places = [problem.where for problem in caught.value.problems]
    assert places == [
        "certificates.a.requirements.1",
        "certificates.b.requirements.0",
        "certificates.c.requirements.0",
    ]


def test_authorities_and_certificates_obey_their_own_sets() -> None:
    assert _obey(_profile({"a": {}})) == ""
    problems = _obey(_profile({"a": {}}, issuing={"requirements": [_SUBORDINATE]}))
    assert all(line.startswith("authorities.") for line in problems.splitlines())
    assert f"{_SUBORDINATE} requires: " in problems
    problems = _obey(_profile({"a": {}, "b": {"requirements": ["defender-iot"]}}))
    assert {line.partition(": ")[0].split(".")[1] for line in problems.splitlines()} >= {"b"}
    assert "certificates.a" not in problems


def test_faulty_certificates_need_not_obey() -> None:
    certificates = {"a": {"requirements": ["defender-iot"], "faults": ["expired"]}}
    assert "certificates.a" not in _obey(_profile(certificates))


@pytest.mark.parametrize("section", ["enrolment", "fleets"])
def test_a_missing_set_of_a_template_or_a_fleet_is_an_error(section: str) -> None:
    body = {
        "issuer": "issuing",
        "requirements": ["none.yaml"],
        **({"count": 2} if section == "fleets" else {}),
    }
    problems = _obey(_profile({}, **{section: {"t": body}}))
    assert problems.startswith(f"{section}.t.requirements.0: none.yaml cannot be read")


def test_a_fleet_obeys_the_sets_of_the_profile_and_its_own() -> None:
    body = {"issuer": "issuing", "count": 30}
    own = _obey(_profile({}, fleets={"t": {**body, "requirements": ["defender-iot"]}}))
    general = _obey(_profile({}, fleets={"t": body}, requirements=["defender-iot"]))
    assert own == general
    assert "defender-iot requires: " in own
    assert _obey(_profile({}, fleets={"t": body})) == ""
