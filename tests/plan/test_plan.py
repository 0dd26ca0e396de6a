"""Plans of profiles: entities, CRL parts, negative cases and service faults, before anything is signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.faults import FAULTS, FaultRequest, Impossible
from pkigen.model import CertificatePlan, CrlPlan, Entity
from pkigen.plan import Plan, plan
from pkigen.plan.crl_distribution import crl_plan, points
from pkigen.plan.digest import changed_parts
from pkigen.plan.negatives import own_host, under_host
from pkigen.plan.service_faults import CLOSED, effect
from pkigen.profile import AuthoritySpec, load
from pkigen.revocation.crl import freshest_crl

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_PROFILE: dict[str, Any] = {
    "name": "planned",
    "base_url": "http://pki.test:8080",
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {"subject": {"CN": "Root"}},
        "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}},
    },
    "certificates": {
        "web": {
            "issuer": "issuing",
            "subject": {"CN": "www.a.test"},
            "san": ["dns:www.a.test", "ip:10.0.0.1", "email:a@a.test"],
            "renew": "30d",
            "formats": ["pkcs12"],
            "pkcs12": {"alias": "own alias"},
            "passphrase": "secret",
        },
        "plain": {"issuer": "issuing", "subject": {"CN": "plain.a.test"}},
        "revoked": {
            "issuer": "issuing",
            "subject": {"CN": "revoked.a.test"},
            "revoked": {"reason": "keyCompromise", "at": "-2h", "invalid_since": "-1d"},
        },
    },
}


def _plan(**changes: Any) -> Plan:
    return plan(load({**_PROFILE, **changes}), _NOW, lambda *_: 7)


def _entities(planned: Plan) -> dict[str, Entity]:
    return {entity.name: entity for entity in planned.certificates()}


def _problem(**changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        _plan(**changes)
    return str(caught.value)


def test_an_end_entity_has_hosts_a_renewal_period_and_its_issuers() -> None:
    entities = _entities(_plan())
    web = entities["web"]
    assert (web.hosts, web.renew_before) == (("www.a.test", "10.0.0.1"), 30 * 86400)
    assert (web.issuers, web.certificates[0].serial) == (("authorities/issuing", "authorities/root"), 7)
    assert (web.output.alias, entities["plain"].output.alias) == ("own alias", "plain")
    assert entities["plain"].renew_before == 0


def test_end_entities_of_a_small_profile_are_planned_once() -> None:
    planned = _plan()
    first, second = list(planned.certificates()), list(planned.certificates())
    assert len(first) == 3
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_a_case_of_a_requirement_set_states_what_it_violates() -> None:
    planned = _plan(negatives=[{"of": "plain", "against": "defender-iot"}])
    faults = {entity.name: entity.fault for entity in planned.certificates() if entity.fault}
    assert len(faults) > 10
    for name, fault in faults.items():
        assert (name, fault.base, fault.against) == (f"plain.{fault.id}", "plain", "defender-iot")
        assert fault.violates
        assert fault.says
        assert fault.clause
        assert fault.expected in (("reject", "varies") if fault.stage else ("accept",))
    differing = {fault.id for fault in faults.values() if fault.expected == "varies"}
    assert differing == {"public-key-2048-rsa-1024"}


def test_a_signature_that_the_key_of_a_ca_cannot_make_is_impossible() -> None:
    with pytest.raises(Impossible, match="ed25519"):
        effect(FaultRequest(FAULTS["crl-sha1"]), "ed25519")


def test_a_revocation_has_its_reason_and_times() -> None:
    entities = _entities(_plan())
    revocation = entities["revoked"].revocation
    assert revocation is not None
    assert (revocation.reason, revocation.at) == ("keyCompromise", _NOW - timedelta(hours=2))
    assert revocation.invalid_since == _NOW - timedelta(days=1)
    assert entities["plain"].revocation is None


def test_times_that_cannot_be_expressed_are_an_error_that_names_the_certificate() -> None:
    with pytest.raises(InputError, match=r"[a-z]+ cannot be planned with the clock at 9999-12-01T00"):
        _entities(plan(load(_PROFILE), datetime(9999, 12, 1, tzinfo=UTC), lambda *_: 7))
    same = {"same": {"issuer": "issuing", "valid": {"from": "2027-01-01", "to": "2027-01-01"}}}
    (entity,) = _entities(_plan(certificates=same)).values()
    assert entity.certificates[0].not_before == entity.certificates[0].not_after


def test_cases_are_counted_and_keep_the_order_of_the_profile() -> None:
    negatives = [{"of": "plain", "faults": ["expired", "not-yet-valid"]}]
    planned = _plan(negatives=negatives)
    names = list(_entities(planned))
    assert names == ["web", "plain", "revoked", "plain.expired", "plain.not-yet-valid"]
    assert planned.count == len(names) == 5
    case = _entities(planned)["plain.expired"]
    assert case.fault is not None
    assert (case.fault.id, case.fault.base, case.fault.verdict) == ("expired", "plain", "R")
    assert case.hosts == ("expired.plain.a.test",)
    assert case.key_of == "cases of plain"
    assert case.output.alias == "plain.expired"


def test_several_faults_of_a_certificate_are_joined() -> None:
    faulty = {**_PROFILE["certificates"], "bad": {"issuer": "issuing", "faults": ["expired", "country-3"]}}
    fault = _entities(_plan(certificates=faulty))["bad"].fault
    assert fault is not None
    assert (fault.id, fault.verdict, fault.expected) == ("expired+country-3", "R", "reject")


def test_a_case_that_has_the_name_of_a_certificate_is_an_error() -> None:
    twice = {**_PROFILE["certificates"], "Plain.Expired": {"issuer": "issuing"}}
    problem = _problem(certificates=twice, negatives=[{"of": "plain", "faults": ["expired"]}])
    assert "two certificates would be called 'plain.expired'" in problem


def test_an_unknown_base_of_a_case_is_an_error_with_a_suggestion() -> None:
    problem = _problem(negatives=[{"of": "plane", "faults": ["expired"]}])
    assert "no certificate or authority is called 'plane' (did you mean 'plain'?)" in problem
    assert _problem(negatives=[{"of": "zzzzzz", "faults": ["expired"]}]).endswith("is called 'zzzzzz'")


def _crl(**settings: Any) -> CrlPlan:
    spec = AuthoritySpec.model_validate({"subject": {"CN": "x"}, "crl": settings})
    return crl_plan(spec, 7, 3 if "delta" in settings else 0, "http://a.test/a.crl", lists_others=False)


def test_a_crl_is_split_by_reasons_and_the_rest() -> None:
    parts = _crl(reasons=["superseded", "keyCompromise"]).parts
    assert [part.name for part in parts] == ["reasons", "other-reasons"]
    assert parts[0].reasons == ("keyCompromise", "superseded")
    assert set(parts[1].reasons).isdisjoint(parts[0].reasons)
    assert len(parts[1].reasons) == 6


def test_a_crl_is_split_into_partitions() -> None:
    crl = _crl(partitions=3)
    assert [(part.name, part.partition) for part in crl.parts] == [
        ("part-1", (0, 3)),
        ("part-2", (1, 3)),
        ("part-3", (2, 3)),
    ]
    extension, freshest = points(crl, 1, None)
    assert freshest is None
    assert isinstance(extension.value, bytes)
    assert extension.value.count(b"http://") == 1
    assert crl.part_url(crl.parts[1]).encode() in extension.value
    assert not extension.critical


def test_a_certificate_names_every_reason_part_and_the_delta_crl() -> None:
    crl = _crl(reasons=["superseded"])
    extension, _ = points(crl, 0, None)
    assert isinstance(extension.value, bytes)
    assert all(crl.part_url(part).encode() in extension.value for part in crl.parts)


def test_an_indirect_crl_replaces_the_own_one_in_certificates() -> None:
    spec = AuthoritySpec.model_validate({"subject": {"CN": "x"}})
    lister = crl_plan(spec, 7, 3, "http://b.test/b.crl", lists_others=True)
    assert [part.name for part in lister.parts] == ["delta", "indirect"]
    extension, _ = points(_crl(), 0, (lister, ()))
    assert isinstance(extension.value, bytes)
    assert extension.value.count(b"http://") == 1
    assert lister.part_url(lister.parts[1]).encode() in extension.value
    _, freshest = points(lister, 0, None)
    assert freshest == freshest_crl(lister.part_url(lister.parts[0]))


def test_changed_parts_of_a_digest_are_named() -> None:
    assert changed_parts("a=1;b=2", "a=1;b=2") == ()
    assert changed_parts("a=1;b=2", "a=1;b=3") == ("b",)
    assert changed_parts("a=1;b=2", "b=2;a=1") == ("order of extensions",)
    assert changed_parts("a=1", "a=1|a=1") == ("set of issuers",)
    assert changed_parts("a=1|c=1", "a=2|c=1") == ("a",)


def test_a_case_has_its_own_host_name() -> None:
    assert own_host("www.a.test", "expired") == "expired.www.a.test"
    assert own_host("*.a.test", "san_wild") == "*.san-wild.a.test"
    long = f"{'a' * 60}.test"
    assert len(own_host(long, "expired")) <= 64
    assert own_host(long, "expired").startswith("expired ")


def test_a_renamed_host_is_replaced_in_subject_names_and_hosts() -> None:
    entity = _entities(_plan())["web"]
    renamed = under_host(entity, "www.a.test", "case.a.test")
    certificate: CertificatePlan = renamed.certificates[0]
    assert renamed.hosts == ("case.a.test", "10.0.0.1")
    assert certificate.subject[-1][0].value == "case.a.test"
    values = b"".join(e.value for e in certificate.extensions if isinstance(e.value, bytes))
    assert b"case.a.test" in values
    assert b"www.a.test" not in values
    assert certificate.issuer == entity.certificates[0].issuer
    assert under_host(entity, "other.test", "case.a.test") == entity


def test_service_faults_have_the_effect_that_the_server_applies() -> None:
    closed = effect(FaultRequest(FAULTS["cdp-unreachable"]))
    assert (closed.target, closed.how, closed.argument) == ("port", CLOSED, "")
    missing = effect(FaultRequest(FAULTS["crl-missing"]))
    assert (missing.target, missing.how, missing.argument) == ("crl", "status", "404")
    with pytest.raises(Impossible, match="'expired' is about a certificate"):
        effect(FaultRequest(FAULTS["expired"]))


@pytest.mark.parametrize(
    ("serving", "problem"),
    [
        (
            {"of": "isuing", "fault": "crl-trailing-data"},
            "no authority is called 'isuing' (did you mean 'issuing'?)",
        ),
        ({"of": "issuing", "fault": "expired"}, "'expired' is about a certificate"),
        ({"of": "issuing", "fault": "cdp-unreachable"}, "'cdp-unreachable' is a fault of the whole server"),
    ],
)
def test_an_impossible_service_fault_is_an_error(serving: dict[str, str], problem: str) -> None:
    assert problem in _problem(serving=[serving])


def test_a_service_fault_is_planned_at_its_url() -> None:
    planned = _plan(serving=[{"of": "issuing", "fault": "crl-trailing-data"}])
    (serving,) = planned.serving
    assert (serving.of, serving.fault) == ("issuing", "crl-trailing-data")
    assert serving.url == "http://pki.test:8080/crl/issuing.crl"
    twice = [{"of": "issuing", "fault": fault} for fault in ("crl-trailing-data", "crl-v3")]
    assert "has a fault of this kind already" in _problem(serving=twice)
