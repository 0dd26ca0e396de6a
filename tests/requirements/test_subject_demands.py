"""Demands on the subject: its attributes, their number and values, and comparisons with the issuer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pkigen.asn1 import der
from pkigen.requirements import Demand, Status
from tests.requirements.certificate_builder import Made, name, san
from tests.requirements.planned import broken, case_of, certificate_of, demand, status, violated
from tests.tools import run

VID, PID = "1.3.6.1.4.1.37244.2.1", "1.3.6.1.4.1.37244.2.2"
BASE = case_of(
    {"subject": {"C": "US", "O": "Contoso", "CN": "www.contoso.com", VID: "FFF1", PID: "80A0"}},
    {"subject": {"C": "US", "O": "Contoso", "CN": "Contoso PAI", VID: "FFF1"}},
)
WITHOUT_SUBJECT = case_of({"san": ["dns:www.contoso.com"]}).change(subject=())
PASS, FAIL, NOT = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE

CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "cn-equals-san": ("subject_attribute", {"type": "CN", "equals": "san"}),
    "cn-differs": ("subject_attribute", {"type": "2.5.4.3", "differs_from": "issuer"}),
    "cn-once": ("subject_attribute", {"type": "CN", "required": True, "once": True}),
    "o-one-of": ("subject_attribute", {"type": "O", "one_of": ["Contoso", "Fabrikam"]}),
    "c-one-of": ("subject_attribute", {"type": "C", "one_of": ["US", "DE"]}),
    "ou-forbidden": ("subject_attribute", {"type": "OU", "forbidden": True}),
    "vid-equals": ("subject_attribute", {"type": VID, "equals": "issuer", "pattern": "[0-9A-F]{4}"}),
    "vid-type": ("subject_attribute", {"type": VID, "string_types": ["UTF8String"]}),
    "pid-one-of": ("subject_attribute", {"type": PID, "one_of": ["80A0", "80A1"], "counterexample": "80B0"}),
    "names-only": ("names", {"only": ["C", "O", "CN", VID, PID]}),
    "names-forbidden": ("names", {"forbidden": ["ST", "SN", "DC"]}),
    "names-types": ("names", {"directory_strings": ["UTF8String"]}),
    "names-sound": ("names", {"lengths": True, "string_types": True, "subject": "not-empty"}),
    "san": ("san", {"covers_cn": True, "only": ["dns"]}),
}
RELATED = {
    "cn-equals-san": {"san"},
    "cn-differs": {"san", "cn-equals-san"},
    "cn-once": {"san", "names-sound"},
    "names-only": {"ou-forbidden"},
    "ou-forbidden": {"names-only"},
    "names-forbidden": {"names-only"},
    "names-types": {"vid-type"},
    "vid-type": {"names-types"},
    "names-sound": {"cn-once", "names-only", "names-types"},
    "san": {"cn-equals-san"},
}
"""Requirement -> others on the same attribute, which its violations can violate as well."""
DEMANDS = {
    key: demand(kind, **parameters) for key, (kind, parameters) in CHOICES.items() if key != "vid-equals"
}
DEMANDS["vid-equals"] = demand(
    "subject_attribute", type=VID, equals="issuer", pattern="[0-9A-F]{4}", counterexample="x"
)


@pytest.mark.parametrize("key", DEMANDS)
def test_each_violation_violates_its_demand_and_no_unrelated_one(key: str) -> None:
    assert violated(DEMANDS, BASE) == set()
    cases = list(broken(DEMANDS[key], BASE))
    assert cases
    for violation, case in cases:
        assert violated(DEMANDS, case) - RELATED.get(key, set()) == {key}, violation.variant


ATTRIBUTE_FIELDS: dict[str, list[Any]] = {
    "required": [True],
    "form": ["domain-name"],
    "wildcard": [False],
    "once": [True],
    "one_of": [["www.contoso.com"], ["www.contoso.com", "a.contoso.com"]],
    "equals": ["san"],
    "differs_from": ["issuer"],
    "longest": [15, 64],
    "string_types": [["UTF8String"], ["UTF8String", "PrintableString"]],
}


@st.composite
def _attribute_demands(draw: st.DrawFn) -> Demand:
    fields = draw(st.lists(st.sampled_from(sorted(ATTRIBUTE_FIELDS)), min_size=1, max_size=5, unique=True))
    chosen = {field: draw(st.sampled_from(ATTRIBUTE_FIELDS[field])) for field in fields}
    return demand("subject_attribute", type="CN", **chosen)


OTHERS = {
    "o": demand("subject_attribute", type="O", one_of=["Contoso"]),
    "names": demand("names", only=["C", "O", "CN", VID, PID], forbidden=["OU"]),
    "san": demand("san", only=["dns"], exactly={"dns": 1}),
    "purposes": demand("extended_key_usage", contains=["serverAuth"]),
}


@settings(max_examples=40)
@given(_attribute_demands())
def test_every_violation_of_a_combination_of_fields_violates_this_demand_alone(one: Demand) -> None:
    demands = {"cn": one, **OTHERS}
    assert violated(demands, BASE) == set()
    for violation, case in broken(one, BASE):
        assert (violation.variant, violated(demands, case)) == (violation.variant, {"cn"})


def test_an_empty_subject_is_violated_by_a_subject() -> None:
    demands = {"empty": demand("names", subject="empty"), "san": demand("san", covers_cn=True, required=True)}
    assert violated(demands, WITHOUT_SUBJECT) == set()
    ((_, case),) = broken(demands["empty"], WITHOUT_SUBJECT)
    assert violated(demands, case) == {"empty"}


def _attribute(**parameters: Any) -> tuple[str, dict[str, Any]]:
    return "subject_attribute", {"type": "CN", **parameters}


def _subject(*texts: str) -> Made:
    return Made(subject=name(*(("CN", text) for text in texts)), issuer=name(("CN", "Root")))


BOUNDARIES: list[tuple[tuple[str, dict[str, Any]], Made, Status]] = [
    (_attribute(once=True), _subject("a"), PASS),
    (_attribute(once=True), _subject("a", "a"), FAIL),
    (_attribute(once=True), _subject(), NOT),
    (_attribute(one_of=["a", "b"]), _subject("b"), PASS),
    (_attribute(one_of=["a", "b"]), _subject("B"), FAIL),
    (_attribute(one_of=["a", "b"]), _subject("a", "c"), FAIL),
    (_attribute(equals="issuer"), _subject("root"), PASS),
    (_attribute(equals="issuer"), _subject("Roots"), FAIL),
    (_attribute(differs_from="issuer"), _subject("ROOT"), FAIL),
    (_attribute(differs_from="issuer"), _subject("Roots"), PASS),
    (_attribute(equals="san"), _subject("a.test"), FAIL),
    (_attribute(forbidden=True), _subject("a.test"), FAIL),
    (_attribute(forbidden=True), _subject(), PASS),
    (
        _attribute(equals="san"),
        Made(subject=name(("CN", "A.test")), extensions=(san(der.tlv(0x82, b"a.TEST")),)),
        PASS,
    ),
    (("subject_attribute", {"type": "O", "equals": "issuer"}), Made(subject=name(("O", "a"))), PASS),
    (("names", {"subject": "empty"}), _subject(), PASS),
    (("names", {"subject": "empty"}), _subject("a"), FAIL),
    (("names", {"only": ["C", "2.5.4.3"]}), _subject("a"), PASS),
    (("names", {"only": ["C"]}), _subject("a"), FAIL),
    (("names", {"only": ["C"]}), _subject(), PASS),
    (("names", {"forbidden": ["CN"]}), _subject("a"), FAIL),
    (("names", {"forbidden": ["OU"]}), _subject("a"), PASS),
    (("names", {"directory_strings": ["UTF8String"]}), _subject("a"), PASS),
    (("names", {"directory_strings": ["PrintableString", "BMPString"]}), _subject("a"), FAIL),
    (
        ("names", {"directory_strings": ["PrintableString"]}),
        Made(subject=name(), issuer=name(("C", "US"))),
        PASS,
    ),
]


@pytest.mark.parametrize(("parameters", "made", "expected"), BOUNDARIES)
def test_a_demand_on_the_subject_decides_at_its_boundary(
    parameters: tuple[str, dict[str, Any]], made: Made, expected: Status
) -> None:
    assert status(demand(parameters[0], **parameters[1]), made.check_input()) is expected


MISTAKES: list[tuple[tuple[str, dict[str, Any]], str]] = [
    (
        _attribute(forbidden=True, one_of=["a"], longest=3),
        "a forbidden attribute has no value: remove longest, one_of",
    ),
    (_attribute(counterexample="a"), "'counterexample' needs 'pattern' or 'one_of'"),
    (_attribute(one_of=["a"], counterexample="a"), "must be a value that is not in 'one_of'"),
    (_attribute(one_of=["a", "bb"], longest=1), "'one_of' has 'bb', but expected is at most 1 characters"),
    (
        _attribute(one_of=["*.a.test"], wildcard=False),
        "'one_of' has '*.a.test', but expected is without a wildcard",
    ),
    (
        _attribute(equals="issuer", differs_from="issuer"),
        "cannot be equal to that of the issuer and differ from it",
    ),
    (_attribute(equals="subject"), "'san' or 'issuer'"),
    (("names", {"subject": "empty", "only": ["CN"]}), "an empty subject has no attributes"),
    (("names", {"only": ["CN", "C"], "forbidden": ["2.5.4.6"]}), "C cannot be in 'only' and in 'forbidden'"),
    (("names", {"only": ["CM"]}), "no such subject attribute: 'CM'"),
]


@pytest.mark.parametrize(("parameters", "words"), MISTAKES)
def test_contradictory_and_misplaced_fields_are_errors(
    parameters: tuple[str, dict[str, Any]], words: str
) -> None:
    with pytest.raises(ValidationError) as error:
        demand(parameters[0], **parameters[1])
    assert words in str(error.value)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("key", "variant", "pattern"),
    [
        ("cn-equals-san", "not-in-san", r"commonName\s*=\s*UTF8STRING:(?!www\.contoso\.com)"),
        ("cn-differs", "as-issuer", r"commonName\s*=\s*UTF8STRING:Contoso PAI"),
        (
            "cn-once",
            "twice",
            r"(commonName\s*=\s*UTF8STRING:www\.contoso\.com\s+){2}|commonName[^?]*commonName",
        ),
        ("c-one-of", "other-value", r"countryName\s*=\s*PRINTABLESTRING:(?!US|DE)[A-Z]{2}\n"),
        ("ou-forbidden", "present", r"organizationalUnitName\s*=\s*UTF8STRING:Other"),
        ("vid-equals", "other-than-issuer", r"37244\.2\.1\s*=\s*UTF8STRING:(?!FFF1)[0-9A-F]{4}\n"),
        ("vid-type", "string-type", r"37244\.2\.1\s*=\s*PRINTABLESTRING:FFF1"),
        ("names-types", "directory-string", r"37244\.2\.2\s*=\s*PRINTABLESTRING:80A0"),
        ("names-forbidden", "with-dc", r"domainComponent\s*=\s*IA5STRING:test"),
    ],
)
def test_openssl_shows_the_violation(key: str, variant: str, pattern: str, tmp_path: Path) -> None:
    cases = {violation.variant: case for violation, case in broken(DEMANDS[key], BASE)}
    path = tmp_path / "certificate.der"
    path.write_bytes(certificate_of(cases[variant]).der)
    options = ("-nameopt", "multiline,show_type")
    text = run("openssl", "x509", "-inform", "DER", "-noout", "-subject", *options, "-in", path)
    assert re.search(pattern, text), text
