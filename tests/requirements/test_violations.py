"""Generated combinations of conditions: every violation of a demand violates this demand alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.model import Entity
from pkigen.plan.placeholder import placeholder
from pkigen.plan.sample import case_of
from pkigen.profile import load
from pkigen.requirements import CheckInput, RequirementSet, findings
from pkigen.x509 import Certificate
from pkigen.x509.timestamps import sct_list

CLOCK = datetime(2026, 11, 1, 12, tzinfo=UTC)
BACKDATED, LENGTH = timedelta(hours=1), timedelta(days=90, seconds=1)
URI = der.sequence(der.oid(oids.PRACTICE_STATEMENT), der.string(der.IA5_STRING, "http://pki.example.test"))
POLICIES = der.sequence(
    der.sequence(der.oid("2.23.140.1.2.1"), der.sequence(URI)), der.sequence(der.oid("1.2.3.4"))
)
_LISTS = (
    der.tlv(0xA0, der.sequence(der.tlv(0x82, b"example.test")), der.sequence(der.tlv(0x82, b"other.test"))),
    der.tlv(0xA1, der.sequence(der.tlv(0x87, bytes((10, 0, 0, 0, 255, 0, 0, 0))))),
)
EXTENSIONS = {
    oids.CERTIFICATE_POLICIES: POLICIES,
    oids.NAME_CONSTRAINTS: der.sequence(*_LISTS),
    oids.POLICY_CONSTRAINTS: der.sequence(b"\x80\x01\x03", b"\x81\x01\x00"),
    oids.SIGNED_CERTIFICATE_TIMESTAMPS: sct_list([bytes(47)] * 3),
}
CRITICAL = (oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS)
"""Extensions of the certificate, for demands on their values."""


@lru_cache(maxsize=8)
def base(key: str = "rsa-2048") -> Case:
    """A certificate of 90 days, backdated by an hour, below two authorities that began in 2020.

    ``key`` is the kind of all keys.
    """
    since_2020 = {"from": "2020-01-01", "for": "20y"}
    profile = {
        "name": "values",
        "base_url": "http://pki.example.test",
        "defaults": {"key": key},
        "authorities": {
            "root": {"subject": {"CN": "Root"}, "valid": since_2020},
            "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}, "valid": since_2020},
        },
        "certificates": {
            "sensor": {
                "issuer": "issuing",
                "subject": {"CN": "sensor.example.test"},
                "valid": {"from": "-1h", "for": "90d"},
            }
        },
    }
    case = case_of(load(profile), CLOCK)
    for oid, value in EXTENSIONS.items():
        case = put(case, oid, value, critical=oid in CRITICAL)
    return case


def as_input(case: Case) -> CheckInput:
    """Return the planned certificates of a case, with placeholders for keys and signatures."""
    entities = {one.id: one for one in (case.entity, *case.authorities)}

    def certificate(entity: Entity) -> Certificate:
        plan = entity.certificates[0]
        return placeholder(plan, entity.key, entities[plan.issuer_id].key)

    return CheckInput(
        now=case.clock,
        certificate=certificate(case.entity),
        planned_chain=tuple(map(certificate, case.authorities)),
        issued=False,
    )


def requirements(demands: dict[str, dict[str, Any]]) -> RequirementSet:
    """Return a set with one requirement for each kind of demand."""
    return RequirementSet.model_validate(
        {
            "name": "values",
            "title": "Values",
            "source": {"title": "Values", "date": "2026"},
            "requirements": [
                {
                    "id": kind.replace("_", "-"),
                    "demand": {kind: parameters},
                    "level": "unsupported",
                    "section": "1",
                    "says": "It holds.",
                }
                for kind, parameters in demands.items()
            ],
        }
    )


def violated(against: RequirementSet, case: Case) -> set[str]:
    """Return the kinds of demand that a case violates."""
    return {one.requirement.kinds[0] for one in findings(against, as_input(case)) if one.failed}


def cases(against: RequirementSet, key: str = "rsa-2048") -> Iterator[tuple[str, str, Case]]:
    """Yield the kind and the variant of every violation that is possible, with its case."""
    for requirement in against.requirements:
        for violation in requirement.violations():
            with suppress(Impossible):
                yield requirement.kinds[0], violation.variant, violation.apply(base(key))


def _span(least: timedelta, most: timedelta) -> st.SearchStrategy[str]:
    return st.integers(int(least.total_seconds()), int(most.total_seconds())).map("{}s".format)


def _schedule(limits: list[str], dates: list[str]) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = [
        {"until": until, "is": limit} for until, limit in zip(dates, limits, strict=False)
    ]
    return [*parts, {"is": limits[len(dates)]}]


_LIMIT = _span(LENGTH, 5 * LENGTH)
_DATES = ["2024-01-01", "2026-08-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:01Z", "2029-03-15"]
_SCHEDULE = st.builds(
    _schedule,
    st.lists(_LIMIT, min_size=6, max_size=6),
    st.lists(st.sampled_from(_DATES), unique=True).map(sorted),
)
VALIDITY = st.fixed_dictionaries(
    {"well_formed": st.just("true")},
    optional={
        "begun": st.just("true"),
        "not_ended": st.just("true"),
        "in_order": st.just("true"),
        "maximum": _LIMIT | _SCHEDULE,
        "minimum": _span(timedelta(), LENGTH),
        "backdated_at_least": _span(timedelta(), BACKDATED),
        "backdated_at_most": _span(BACKDATED, 9 * LENGTH),
        "ends_before": st.sampled_from(["2027-02-01", "2038-01-19T03:14:08Z", "2050-01-01"]),
        "no_end": st.just("false"),
        "remaining": _span(timedelta(), LENGTH - BACKDATED - timedelta(seconds=1)),
        "within_issuer": st.just("true"),
    },
)


_CURVES = ["brainpoolP256r1", "P-384", "ed25519"]
PUBLIC_KEY = st.fixed_dictionaries(
    {"multiple_of": st.sampled_from([8, 64])},
    optional={
        "families": st.just(["rsa", "ec", "ed448"]),
        "curves": st.lists(st.sampled_from(_CURVES), unique=True).map(lambda some: [*some, "secp256r1"]),
        "minimum": st.fixed_dictionaries({"rsa": st.integers(1024, 2048), "ec": st.just(256)}),
        "maximum": st.fixed_dictionaries({"rsa": st.integers(2048, 8192)}),
    },
)
DIGEST = st.fixed_dictionaries(
    {"forbidden": st.just(["sha1"])},
    optional={
        "allowed": st.sampled_from([["sha256"], ["sha256", "sha384"]]),
        "paired": st.sampled_from([{"P-256": "sha256"}, {"P-256": "sha256", "P-384": "sha256"}]),
    },
)
_OTHERS = ["2.23.140.1.2.2", "2.23.140.1.2.3"]
POLICY = st.fixed_dictionaries(
    {"once": st.just("true")},
    optional={
        "required": st.just("true"),
        "contains": st.sampled_from([["1.2.3.4"], ["2.23.140.1.2.1"], ["1.2.3.4", "2.23.140.1.2.1"]]),
        "exactly_one_of": st.permutations(["2.23.140.1.2.1", *_OTHERS]),
        "forbidden": st.lists(st.sampled_from(["any", "1.2.3.5"]), unique=True),
        "cps_uri": st.just("true"),
        "any_qualifiers": st.just("true"),
        "explicit_text": st.just("true"),
    },
)
_PRESENT = {"critical": st.just("true")}
CONSTRAINTS = st.fixed_dictionaries(
    {"required": st.just("true")},
    optional={
        **_PRESENT,
        "permitted": st.lists(st.sampled_from(["dns:example.test", "dns:other.test"]), unique=True),
        "excluded": st.just(["ip:10.0.0.0/8"]),
    },
)
NUMBERS = st.fixed_dictionaries(
    {"required": st.just("true")},
    optional={
        **_PRESENT,
        "require_explicit_policy": st.just(3),
        "inhibit_policy_mapping": st.just(0),
    },
)
EXTENSION = st.fixed_dictionaries(
    {"oid": st.just("signed_certificate_timestamps"), "type": st.just("OCTET STRING")},
    optional={"once": st.just("true"), "minimum": st.integers(1, 3), "required": st.just("true")},
)
DEMANDS = st.fixed_dictionaries(
    {
        "validity": VALIDITY,
        "public_key": PUBLIC_KEY,
        "digest": DIGEST,
        "certificate_policies": POLICY,
        "name_constraints": CONSTRAINTS,
        "policy_constraints": NUMBERS,
        "extension": EXTENSION,
        "subject_key_identifier": st.just({"length": 20}),
        "authority_key_identifier": st.just({"length": 20}),
        "crl_distribution_point": st.sampled_from([{"exactly": 1}, {"maximum": 1}, {"maximum": 3}]),
        "aia": st.just({"forbidden": ["ocsp"]}),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEMANDS, st.sampled_from(["rsa-2048", "ec-p256"]))
def test_every_violation_violates_its_demand_alone(demands: dict[str, dict[str, Any]], key: str) -> None:
    against = requirements(demands)
    assert violated(against, base(key)) == set()
    for kind, variant, case in cases(against, key):
        assert violated(against, case) == {kind}, (kind, variant)


def _variants(kind: str, parameters: dict[str, Any], key: str = "rsa-2048") -> set[str]:
    """Return the variants of the violations of a demand that the base can have."""
    return {variant for _, variant, _ in cases(requirements({kind: parameters}), key)}


def test_a_list_of_curves_is_violated_by_other_curves_of_its_families() -> None:
    kinds = _variants("public_key", {"families": ["ec"], "curves": ["P-256"]}, "ec-p256")
    assert {"ec-p384", "ec-brainpoolp256r1", "ec-secp256k1", "ed25519", "rsa-2048"} <= kinds
    assert "ec-p256" not in kinds


def test_a_digest_of_another_curve_is_possible_only_for_a_key_on_a_curve() -> None:
    assert "pair" in _variants("digest", {"paired": {"P-256": "sha256"}}, "ec-p256")
    assert "pair" not in _variants("digest", {"paired": {"P-256": "sha256"}}, "rsa-2048")


def test_each_limit_that_has_applied_by_the_time_of_the_build_becomes_a_case() -> None:
    schedule = [{"until": "2026-03-15", "is": "398d"}, {"until": "2027-03-15", "is": "200d"}, {"is": "100d"}]
    variants = _variants("validity", {"maximum": schedule})
    assert variants == {"too-long", "too-long-from-2026-03-15", "late-2026-03-15"}


def test_what_is_inside_the_issuer_is_violated_at_both_ends() -> None:
    assert _variants("validity", {"within_issuer": "true"}) == {"after-issuer", "before-issuer"}
