"""Demands on key usage and extended key usage: exact sets, sets by family of keys, purposes by OID."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.requirements import Demand, Status
from pkigen.requirements.schema import json_schema
from tests.requirements.certificate_builder import Made, extension, rsa, usage
from tests.requirements.planned import broken, case_of, certificate_of, demand, status, violated
from tests.tools import run

PASS, FAIL, NOT = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE
LOGON = "1.3.6.1.4.1.311.20.2.2"
DIGITAL, REPUDIATION, ENCIPHERMENT = "digitalSignature", "nonRepudiation", "keyEncipherment"


def _base(key: str, usages: list[str]) -> Case:
    certificate = {"key": key, "key_usage": usages, "subject": {"CN": "www.contoso.com"}}
    return case_of({**certificate, "extended_key_usage": ["serverAuth", "clientAuth"]})


BASES = {
    "rsa": _base("rsa-2048", [DIGITAL, ENCIPHERMENT]),
    "ec": _base("ec-p256", [DIGITAL]),
    "ed25519": _base("ed25519", [DIGITAL]),
}
SETS = {"rsa": [DIGITAL, ENCIPHERMENT], "other": [DIGITAL]}
USAGES: dict[str, list[Any]] = {
    "families": [["rsa", "ec", "ed25519"]],
    "required": [True],
    "contains": [[DIGITAL]],
    "lacks": [["keyCertSign", "cRLSign"]],
    "exactly": [SETS],
    "one_of": [[[DIGITAL], [DIGITAL, ENCIPHERMENT]], {"rsa": [[DIGITAL, ENCIPHERMENT], [DIGITAL]]}],
    "exactly_one_of": [[DIGITAL, REPUDIATION], {"ec": [DIGITAL, "keyAgreement"]}],
    "only": [[DIGITAL, REPUDIATION, ENCIPHERMENT], {"rsa": [DIGITAL, ENCIPHERMENT], "ec": [DIGITAL]}],
    "some": [True],
    "critical": [True],
}
PURPOSES: dict[str, list[Any]] = {
    "families": [["rsa", "ec", "ed25519"]],
    "required": [True],
    "contains": [["serverAuth"], ["1.3.6.1.5.5.7.3.2"]],
    "lacks": [[LOGON], ["any", "codeSigning"]],
    "exactly": [["serverAuth", "clientAuth"], ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]],
    "one_of": [[["serverAuth"], ["serverAuth", "clientAuth"]], [["clientAuth", "serverAuth"]]],
    "only": [["serverAuth", "clientAuth"], ["serverAuth", "clientAuth", "emailProtection", "1.2.3"]],
    "critical": [False],
}
OTHERS = {
    "key_usage": demand("key_usage", only=[DIGITAL, ENCIPHERMENT], critical=True),
    "extended_key_usage": demand("extended_key_usage", exactly=["serverAuth", "clientAuth"]),
    "san": demand("san", covers_cn=True, only=["dns"]),
    "ca": demand("basic_constraints", ca=False),
}


@st.composite
def _demands(draw: st.DrawFn) -> Demand:
    kind, choices = draw(st.sampled_from([("key_usage", USAGES), ("extended_key_usage", PURPOSES)]))
    fields = draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, max_size=5, unique=True))
    if "exactly" in fields and "one_of" in fields:
        fields.remove("one_of")
    parameters = {field: draw(st.sampled_from(choices[field])) for field in fields}
    try:
        return demand(kind, **parameters)
    except ValidationError:  # the fields contradict each other
        reject()


@settings(max_examples=50)
@given(_demands(), st.sampled_from(sorted(BASES)))
def test_every_violation_of_a_combination_of_fields_violates_this_demand_alone(
    one: Demand, family: str
) -> None:
    demands = {**OTHERS, one.kind: one}
    assert violated(demands, BASES[family]) == set()
    for violation, case in broken(one, BASES[family]):
        assert (violation.variant, violated(demands, case)) == (violation.variant, {one.kind})


def _variants(one: Demand, family: str) -> set[str]:
    return {violation.variant for violation, _ in broken(one, BASES[family])}


def test_each_boundary_of_an_exact_set_is_a_violation() -> None:
    by_family = demand("key_usage", exactly=SETS)
    assert _variants(by_family, "rsa") == {"missing", "no-digitalsignature", "no-keyencipherment", "further"}
    assert _variants(by_family, "ec") == {"missing", "no-digitalsignature", "further"}
    purposes = demand("extended_key_usage", exactly=["serverAuth", "clientAuth"])
    assert _variants(purposes, "ec") == {"missing", "no-serverauth", "no-clientauth", "further"}
    either = demand("extended_key_usage", one_of=["none", ["serverAuth", "clientAuth"]])
    assert _variants(either, "ec") == {"further", "fewer"}
    assert _variants(demand("key_usage", families=["rsa"], required=True), "ec") == set()


def test_a_certificate_without_one_of_several_purposes_keeps_the_others() -> None:
    both = demand("extended_key_usage", contains=["serverAuth", "clientAuth"])
    remaining = {
        violation.variant: certificate_of(case).extensions.extended_key_usage
        for violation, case in broken(both, BASES["ec"])
    }
    assert remaining == {"no-serverauth": ("clientAuth",), "no-clientauth": ("serverAuth",)}
    assert _variants(demand("extended_key_usage", contains=["serverAuth", "any"]), "ec") == {
        "no-serverauth",
        "no-any",
    }


def test_a_case_about_a_purpose_by_oid_keeps_the_other_purposes() -> None:
    base = case_of({"subject": {"CN": "a"}, "san": "none", "extended_key_usage": [LOGON, "clientAuth"]})

    def remaining(**parameters: Any) -> list[tuple[str, ...] | None]:
        cases = (case for _, case in broken(demand("extended_key_usage", **parameters), base))
        return [certificate_of(case).extensions.extended_key_usage for case in cases]

    assert remaining(contains=[LOGON]) == [("clientAuth",)]
    assert remaining(contains=["clientAuth"]) == [("emailProtection", LOGON)]
    assert remaining(lacks=["1.2.3"]) == [(LOGON, "clientAuth", "1.2.3")]


def test_none_of_the_purposes_is_violated_by_a_purpose() -> None:
    one = demand("extended_key_usage", one_of=["none"])
    base = BASES["ec"].without_extension(oids.EXTENDED_KEY_USAGE)
    ((violation, case),) = broken(one, base)
    assert violation.variant == "further"
    assert violated({"one": one}, base) == set()
    assert violated({"one": one}, case) == {"one"}


def _ec() -> bytes:
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return der.sequence(algorithm, der.bit_string(b"\x04" + bytes(64)))


def _with_purposes(*purposes: str) -> Made:
    value = der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES.get(one, one)) for one in purposes))
    return Made(extensions=(extension(oids.EXTENDED_KEY_USAGE, value),))


def _with_usage(*bits: str, key: bytes | None = None) -> Made:
    return Made(key=key or rsa(2048), extensions=(usage(*bits),))


EITHER = {"one_of": ["none", ["serverAuth"], ["serverAuth", "clientAuth"]]}
FAMILIES = {"exactly": {"rsa": [DIGITAL, REPUDIATION, ENCIPHERMENT, "dataEncipherment"], "ec": [DIGITAL]}}
DUAL = {"one_of": {"rsa": [[DIGITAL], [ENCIPHERMENT]], "other": ["none"]}}
BOUNDARIES: list[tuple[str, dict[str, Any], Made, Status]] = [
    ("extended_key_usage", {"exactly": ["serverAuth"]}, _with_purposes("serverAuth"), PASS),
    ("extended_key_usage", {"exactly": ["serverAuth"]}, _with_purposes("serverAuth", "clientAuth"), FAIL),
    ("extended_key_usage", {"exactly": ["serverAuth"]}, _with_purposes("any"), FAIL),
    ("extended_key_usage", {"exactly": ["serverAuth"]}, Made(), FAIL),
    ("extended_key_usage", {"exactly": ["serverAuth", LOGON]}, _with_purposes(LOGON, "serverAuth"), PASS),
    ("extended_key_usage", {"contains": [LOGON]}, _with_purposes("clientAuth"), FAIL),
    ("extended_key_usage", {"contains": ["1.3.6.1.5.5.7.3.1"]}, _with_purposes("serverAuth"), PASS),
    ("extended_key_usage", EITHER, Made(), PASS),
    ("extended_key_usage", EITHER, _with_purposes("serverAuth"), PASS),
    ("extended_key_usage", EITHER, _with_purposes("clientAuth", "serverAuth"), PASS),
    ("extended_key_usage", EITHER, _with_purposes("clientAuth"), FAIL),
    ("extended_key_usage", {"one_of": ["none"]}, _with_purposes("clientAuth"), FAIL),
    ("extended_key_usage", {"only": ["serverAuth"]}, Made(), NOT),
    ("extended_key_usage", {"only": ["serverAuth"]}, _with_purposes("serverAuth", "1.2.3"), FAIL),
    ("extended_key_usage", {"only": ["serverAuth", "1.2.3"]}, _with_purposes("1.2.3"), PASS),
    ("extended_key_usage", {"families": ["ec"], "required": True}, Made(), NOT),
    ("extended_key_usage", {"families": ["rsa"], "required": True}, Made(), FAIL),
    ("key_usage", {"exactly": [DIGITAL]}, _with_usage(DIGITAL), PASS),
    ("key_usage", {"exactly": [DIGITAL]}, _with_usage(DIGITAL, REPUDIATION), FAIL),
    ("key_usage", {"exactly": [DIGITAL]}, Made(), FAIL),
    ("key_usage", FAMILIES, _with_usage(*FAMILIES["exactly"]["rsa"]), PASS),
    ("key_usage", FAMILIES, _with_usage(DIGITAL), FAIL),
    ("key_usage", FAMILIES, _with_usage(DIGITAL, key=_ec()), PASS),
    ("key_usage", FAMILIES, _with_usage(*FAMILIES["exactly"]["rsa"], key=_ec()), FAIL),
    ("key_usage", {"exactly": {"rsa": [DIGITAL]}}, _with_usage(REPUDIATION, key=_ec()), PASS),
    ("key_usage", DUAL, _with_usage(ENCIPHERMENT), PASS),
    ("key_usage", DUAL, _with_usage(DIGITAL, ENCIPHERMENT), FAIL),
    ("key_usage", DUAL, _with_usage(DIGITAL, key=_ec()), FAIL),
    ("key_usage", DUAL, Made(key=_ec()), PASS),
    ("key_usage", DUAL, Made(), FAIL),
    ("key_usage", {"exactly_one_of": ["encipherOnly", "decipherOnly"]}, _with_usage("encipherOnly"), PASS),
    ("key_usage", {"exactly_one_of": ["encipherOnly", "decipherOnly"]}, _with_usage("keyAgreement"), FAIL),
    (
        "key_usage",
        {"exactly_one_of": ["encipherOnly", "decipherOnly"]},
        _with_usage("keyAgreement", "encipherOnly", "decipherOnly"),
        FAIL,
    ),
    ("key_usage", {"only": [DIGITAL]}, _with_usage(DIGITAL), PASS),
    ("key_usage", {"only": [DIGITAL]}, _with_usage(DIGITAL, ENCIPHERMENT), FAIL),
    ("key_usage", {"only": [DIGITAL]}, Made(), NOT),
    ("key_usage", {"only": {"ec": [DIGITAL]}}, _with_usage(ENCIPHERMENT), PASS),
    ("key_usage", {"families": ["ec"], "critical": True}, _with_usage(DIGITAL), NOT),
]


@pytest.mark.parametrize(("kind", "parameters", "made", "expected"), BOUNDARIES)
def test_a_demand_on_usages_decides_at_its_boundary(
    kind: str, parameters: dict[str, Any], made: Made, expected: Status
) -> None:
    assert status(demand(kind, **parameters), made.check_input()) is expected


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("extended_key_usage", {"exactly": ["serverAuth"], "one_of": ["none"]}, "exclude each other"),
    (
        "extended_key_usage",
        {"exactly": ["serverAuth"], "lacks": ["serverAuth"]},
        "the set serverAuth contradicts",
    ),
    (
        "extended_key_usage",
        {"exactly": ["serverAuth"], "contains": ["clientAuth"]},
        "contradicts the other fields",
    ),
    (
        "extended_key_usage",
        {"one_of": [["serverAuth"]], "only": ["clientAuth"]},
        "contradicts the other fields",
    ),
    ("extended_key_usage", {"contains": ["serverAuth"], "only": ["clientAuth"]}, "'contains' has serverAuth"),
    ("extended_key_usage", {"contains": ["1.3.6.1.5.5.7.3.1"], "lacks": ["serverAuth"]}, "'contains' and in"),
    ("extended_key_usage", {"required": True, "one_of": ["none"]}, "'required' excludes 'none' in 'one_of'"),
    ("extended_key_usage", {"one_of": [[]]}, "a set of 'one_of' has at least one purpose"),
    ("extended_key_usage", {"exactly": []}, "at least 1 item"),
    ("extended_key_usage", {"only": ["serverauth"]}, "did you mean 'serverAuth'?"),
    ("key_usage", {"exactly": [DIGITAL], "contains": [ENCIPHERMENT]}, "contradicts the other fields"),
    ("key_usage", {"exactly": {"rsa": [DIGITAL]}, "one_of": [["cRLSign"]]}, "exclude each other"),
    ("key_usage", {"exactly": {"rsa": [DIGITAL]}, "families": ["ec"]}, "'families' excludes the family rsa"),
    ("key_usage", {"only": [DIGITAL], "contains": [ENCIPHERMENT]}, "'contains' has keyEncipherment, but"),
    ("key_usage", {"contains": [DIGITAL], "lacks": [DIGITAL]}, "cannot be in 'contains' and in 'lacks'"),
    ("key_usage", {"required": True, "one_of": {"ec": ["none"]}}, "'required' excludes 'none' in 'one_of'"),
    ("key_usage", {"exactly_one_of": [DIGITAL]}, "'exactly_one_of' needs at least two bits"),
    ("key_usage", {"one_of": [[]]}, "a set of 'one_of' has at least one bit"),
    ("key_usage", {"exactly": {"rsaa": [DIGITAL]}}, "did you mean 'rsa'?"),
    ("key_usage", {"exactly": ["digital"]}, "no such key usage: 'digital'"),
]


@pytest.mark.parametrize(("kind", "parameters", "words"), MISTAKES)
def test_contradictory_and_misplaced_fields_are_errors(
    kind: str, parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError) as error:
        demand(kind, **parameters)
    assert words in str(error.value)


@pytest.mark.parametrize(("kind", "parameters"), [row[:2] for row in BOUNDARIES])
def test_the_json_schema_accepts_lists_mappings_and_none(kind: str, parameters: dict[str, Any]) -> None:
    schema = json_schema()
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Demand", "$defs": schema["$defs"]})
    validator.validate({kind: parameters})
    assert not validator.is_valid({kind: {**parameters, "exactly": "all"}})


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("kind", "parameters", "variant", "pattern"),
    [
        ("key_usage", {"exactly": SETS}, "further", "Digital Signature, Non Repudiation, Key Encipherment$"),
        ("key_usage", {"exactly": SETS}, "no-keyencipherment", "  Digital Signature$"),
        ("key_usage", {"one_of": [[DIGITAL, ENCIPHERMENT]]}, "fewer", "  Key Encipherment$"),
        ("key_usage", {"only": SETS}, "not-allowed", "Decipher Only$"),
        ("key_usage", {"exactly_one_of": [DIGITAL, "cRLSign"]}, "two-of", "Digital Signature, .*CRL Sign$"),
        ("extended_key_usage", {"lacks": [LOGON]}, "1-3-6-1-4-1-311-20-2-2", "Microsoft Smartcard ?[Ll]ogin"),
        (
            "extended_key_usage",
            {"exactly": ["serverAuth", "clientAuth"]},
            "further",
            "Web Server Authentication, .*Web Client Authentication, E-mail Protection$",
        ),
        (
            "extended_key_usage",
            {"exactly": ["serverAuth", "clientAuth"]},
            "no-serverauth",
            "  TLS Web Client Authentication$",
        ),
    ],
)
def test_openssl_shows_the_violation(
    kind: str, parameters: dict[str, Any], variant: str, pattern: str, tmp_path: Path
) -> None:
    cases = {violation.variant: case for violation, case in broken(demand(kind, **parameters), BASES["rsa"])}
    path = tmp_path / "certificate.der"
    path.write_bytes(certificate_of(cases[variant]).der)
    names = "keyUsage,extendedKeyUsage"
    text = run("openssl", "x509", "-inform", "DER", "-noout", "-ext", names, "-in", path)
    assert re.search(pattern, text, re.MULTILINE), text
