"""Demands on alternative names: numbers, kinds, values, wildcards, reserved names, criticality, otherName."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pkigen.asn1 import der
from pkigen.requirements import CheckInput, Demand, Status
from tests.effort import calls
from tests.requirements.certificate_builder import Made, name, san
from tests.requirements.planned import CLOCK, broken, case_of, certificate_of, demand, status, violated
from tests.tools import run

NAMES = [
    *("dns:www.contoso.com", "dns:alt.contoso.com", "uri:spiffe://contoso.com/app", "ip:8.8.4.4"),
    *("upn:app@contoso.com", "email:app@contoso.com"),
]
BASE = case_of({"subject": {"O": "Contoso", "CN": "www.contoso.com"}, "san": NAMES})
SPIFFE = {"uri": {"pattern": "spiffe://[^/]+/.+", "counterexample": "https://contoso.com/a"}}
CHOICES: dict[str, list[Any]] = {
    "required": [True],
    "not_empty": [True],
    "syntax": [True],
    "kinds": [["dns", "ip"], ["UPN"]],
    "all_of": [["dns", "uri"], ["ip"], ["1.3.6.1.4.1.311.20.2.3", "email"]],
    "only": [["dns", "uri", "ip", "email", "UPN"], ["dns", "uri", "ip", "email", "upn", "rid"]],
    "forbidden": [["rid"], ["HardwareModuleName", "dirname"]],
    "exactly": [{"uri": 1}, {"dns": 2, "UPN": 1}, {"1.3.6.1.5.5.7.8.4": 0}],
    "at_most": [{"dns": 2}, {"uri": 3}],
    "maximum": [6, 7],
    "contains": [{"dns": ["ALT.contoso.com"]}, {"ip": ["8.8.4.4"], "UPN": ["app@contoso.com"]}],
    "values": [
        SPIFFE,
        {"uri": {"schemes": ["spiffe", "https"]}},
        {"UPN": {"type": "UTF8String"}},
        {"dns": {"pattern": "alt[.].*", "counterexample": "a.contoso.com", "match": "some"}},
        {"ip": {"pattern": "8[.].*", "counterexample": "9.9.9.9"}},
    ],
    "wildcard": ["whole-label", "forbidden"],
    "public_names": [True],
    "no_reverse_zones": [True],
    "no_trailing_dot": [True],
    "critical": [False, "if-subject-empty"],
    "covers_cn": [True],
    "same_case": [True],
}
OTHERS = {
    "subject": demand("names", subject="not-empty"),
    "key-usage": demand("key_usage", contains=["digitalSignature"]),
    "purposes": demand("extended_key_usage", contains=["serverAuth"]),
}


@st.composite
def _demands(draw: st.DrawFn) -> Demand:
    fields = draw(st.lists(st.sampled_from(sorted(CHOICES)), min_size=1, max_size=6, unique=True))
    return demand("san", **{field: draw(st.sampled_from(CHOICES[field])) for field in fields})


@settings(max_examples=50)
@given(_demands())
def test_every_violation_of_a_combination_of_fields_violates_this_demand_alone(one: Demand) -> None:
    demands = {"names": one, **OTHERS}
    assert violated(demands, BASE) == set()
    for violation, case in broken(one, BASE):
        assert (violation.variant, violated(demands, case)) == (violation.variant, {"names"})


PRESENT = {"required", "all_of", "contains", "exactly", "values"}
NUMBERS = {"exactly", "at_most", "maximum"}
RELATED: dict[str, set[str]] = {
    "required": PRESENT,
    "not_empty": {*PRESENT, "kinds", "covers_cn"},
    "kinds": {*PRESENT, "kinds", "only", "forbidden", "covers_cn"},
    "all_of": {*PRESENT, "kinds", "covers_cn"},
    "only": {"forbidden", "maximum"},
    "forbidden": {"only", *NUMBERS},
    "exactly": {*PRESENT, *NUMBERS, "kinds", "only", "forbidden"},
    "at_most": NUMBERS,
    "maximum": NUMBERS,
    "contains": PRESENT,
    "values": PRESENT,
    "wildcard": {*NUMBERS, "syntax", "wildcard", "contains", "values"},
    "no_trailing_dot": {"syntax", "contains"},
    **dict.fromkeys(("syntax", "public_names", "no_reverse_zones"), NUMBERS),
    "critical": {"critical"},
}
"""Field -> the fields that set a condition for the same names, and can be violated with it."""


@pytest.mark.parametrize("field", CHOICES)
def test_a_violation_of_a_field_violates_no_unrelated_field(field: str) -> None:
    demands = {
        (key, number): demand("san", **{key: choice})
        for key, choices in CHOICES.items()
        for number, choice in enumerate(choices)
    }
    for (key, number), one in demands.items():
        for violation, case in broken(one, BASE) if key == field else ():
            failing = violated(demands, case)
            assert (key, number) in failing, violation.variant
            assert {other for other, _ in failing} - {field} <= RELATED.get(field, set()), violation.variant


@pytest.mark.parametrize("field", [{"wildcard": "forbidden"}, {"no_trailing_dot": True}])
def test_a_violation_keeps_the_only_dns_name_that_is_the_common_name(field: dict[str, Any]) -> None:
    base = case_of({"subject": {"CN": "www.contoso.com"}, "san": ["dns:www.contoso.com"]})
    demands = {"names": demand("san", **field), "cn": demand("san", covers_cn=True)}
    assert [violated(demands, case) for _, case in broken(demands["names"], base)] == [{"names"}]


DNS, URI = der.tlv(0x82, b"a.contoso.com"), der.tlv(0x86, b"spiffe://contoso.com/app")
HARDWARE, GUID, REALM = "1.3.6.1.5.5.7.8.4", "1.3.6.1.4.1.311.25.1", "1.3.6.1.5.5.7.8.8"
UPN = "1.3.6.1.4.1.311.20.2.3"
PASS, FAIL, NOT = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE


def _dns(*names: str) -> list[bytes]:
    return [der.tlv(0x82, name.encode()) for name in names]


def _other(type_id: str, value: bytes) -> bytes:
    return der.explicit(0, der.oid(type_id), der.explicit(0, value))


MODULE = _other(HARDWARE, der.sequence(der.oid("1.3.6.1.4.1.40732.1.1"), der.octet_string(b"7")))
BOUNDARIES: list[tuple[dict[str, Any], list[bytes], Status]] = [
    ({"exactly": {"uri": 1}}, [DNS], FAIL),
    ({"exactly": {"uri": 1}}, [DNS, URI], PASS),
    ({"exactly": {"uri": 1}}, [URI, URI], FAIL),
    ({"exactly": {"uri": 0}}, [DNS], PASS),
    ({"exactly": {"uri": 1}, "at_most": {"uri": 3}}, [URI], PASS),
    ({"at_most": {"dns": 1}}, [DNS], PASS),
    ({"at_most": {"dns": 1}}, [DNS, DNS], FAIL),
    ({"maximum": 2}, [DNS, URI], PASS),
    ({"maximum": 2}, [DNS, URI, DNS], FAIL),
    ({"all_of": ["dns", "uri"]}, [DNS, URI], PASS),
    ({"all_of": ["dns", "uri"]}, [DNS], FAIL),
    ({"only": ["dns"]}, [DNS, URI], FAIL),
    ({"only": ["dns"]}, [], PASS),
    ({"only": ["dns"]}, [DNS, der.tlv(0xA5, b"x")], FAIL),
    ({"forbidden": ["uri"]}, [DNS], PASS),
    ({"forbidden": ["uri"]}, [URI], FAIL),
    ({"values": {"uri": {"schemes": ["spiffe"]}}}, [DNS], PASS),
    ({"values": {"uri": {"schemes": ["spiffe"], "match": "some"}}}, [DNS], FAIL),
    ({"values": {"uri": {"schemes": ["SPIFFE"]}}}, [URI], PASS),
    ({"values": {"uri": {"schemes": ["spiff"]}}}, [URI], FAIL),
    ({"contains": {"dns": ["A.CONTOSO.com"]}}, [DNS], PASS),
    ({"contains": {"uri": ["spiffe://contoso.com/APP"]}}, [URI], FAIL),
    (
        {"contains": {"ip": ["2001:DB8:0::1"]}},
        [der.tlv(0x87, bytes.fromhex("20010db8" + "0" * 23 + "1"))],
        PASS,
    ),
    ({"exactly": {HARDWARE: 1}}, [MODULE], PASS),
    ({"exactly": {"HardwareModuleName": 1}}, [MODULE, MODULE], FAIL),
    ({"only": ["hardwaremodulename"]}, [MODULE], PASS),
    ({"only": ["UPN"]}, [MODULE], FAIL),
    ({"all_of": ["NTDSGUID"]}, [_other(GUID, der.octet_string(bytes(16)))], PASS),
    ({"all_of": ["NTDSGUID"]}, [MODULE], FAIL),
    ({"values": {"NTDSGUID": {"type": "OCTET STRING"}}}, [_other(GUID, der.octet_string(bytes(16)))], PASS),
    ({"values": {"HardwareModuleName": {"type": "SEQUENCE"}}}, [MODULE], PASS),
    ({"values": {"UPN": {"type": "UTF8String"}}}, [_other(UPN, der.tlv(0x0C, b"a@b"))], PASS),
    ({"values": {"UPN": {"type": "UTF8String"}}}, [_other(UPN, der.tlv(0x16, b"a@b"))], FAIL),
    (
        {"values": {"NAIRealm": {"pattern": "[a-z.]+", "counterexample": "*"}}},
        [_other(REALM, der.tlv(0x0C, b"contoso.test"))],
        PASS,
    ),
    (
        {"values": {"NAIRealm": {"pattern": "[a-z.]+", "counterexample": "*"}}},
        [_other(REALM, der.tlv(0x04, b"contoso.test"))],
        FAIL,
    ),
    *(
        ({"wildcard": "whole-label"}, _dns(name), status)
        for name, status in (
            ("*.contoso.com", PASS),
            ("w*.contoso.com", FAIL),
            ("*w.contoso.com", FAIL),
            ("*", FAIL),
            ("*.*.contoso.com", FAIL),
            ("a.*.contoso.com", FAIL),
        )
    ),
    ({"wildcard": "forbidden"}, _dns("*.contoso.com"), FAIL),
    ({"wildcard": "forbidden"}, [DNS, der.tlv(0x86, b"https://contoso.com/*")], PASS),
    *(
        ({"public_names": True}, _dns(name), status)
        for name, status in (
            ("www.contoso.com", PASS),
            ("*.contoso.com", PASS),
            ("xn--bcher-kva.contoso.com", PASS),
            ("duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion", PASS),
            ("8.8.8.8.in-addr.arpa", PASS),
            ("10.in-addr.arpa", FAIL),
            ("1.31.172.in-addr.arpa", FAIL),
            ("1.32.172.in-addr.arpa", PASS),
            ("www", FAIL),
            ("*.com", FAIL),
            ("localhost", FAIL),
            ("printer.LOCAL", FAIL),
            ("printer.local.", FAIL),
            ("a.contoso.test", FAIL),
            ("www.example.com", FAIL),
            ("www.notexample.com", PASS),
            ("host.internal", FAIL),
            ("router.home.arpa", FAIL),
        )
    ),
    *(
        ({"public_names": True}, [der.tlv(0x87, ip_address(address).packed)], status)
        for address, status in (
            ("8.8.8.8", PASS),
            ("10.0.0.1", FAIL),
            ("172.15.255.255", PASS),
            ("172.16.0.0", FAIL),
            ("127.0.0.1", FAIL),
            ("192.0.2.1", FAIL),
            ("2606:4700::1", PASS),
            ("fd00::1", FAIL),
            ("2001:db8::1", FAIL),
        )
    ),
    ({"no_reverse_zones": True}, _dns("8.8.8.8.in-addr.arpa"), FAIL),
    ({"no_reverse_zones": True}, _dns("8.b.d.0.1.0.0.2.IP6.ARPA."), FAIL),
    ({"no_reverse_zones": True}, _dns("in-addr.arpa.contoso.com"), PASS),
    ({"no_trailing_dot": True}, _dns("www.contoso.com."), FAIL),
    ({"no_trailing_dot": True}, _dns("www.contoso.com"), PASS),
    ({"covers_cn": True}, _dns("HOST.example.test"), PASS),
    ({"covers_cn": True, "same_case": True}, _dns("HOST.example.test"), FAIL),
    ({"same_case": True}, _dns("HOST.example.test", "host.example.test"), PASS),
    ({"same_case": True}, _dns("other.test"), PASS),
]


@pytest.mark.parametrize(("parameters", "names", "expected"), BOUNDARIES)
def test_a_demand_on_alternative_names_decides_at_its_boundary(
    parameters: dict[str, Any], names: list[bytes], expected: Status
) -> None:
    made = Made(extensions=(san(*names),))
    assert status(demand("san", **parameters), made.check_input()) is expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"all_of": ["dns"]}, FAIL),
        ({"exactly": {"uri": 1}}, FAIL),
        ({"contains": {"dns": ["a.test"]}}, FAIL),
        ({"values": {"uri": {"schemes": ["spiffe"], "match": "some"}}}, FAIL),
        ({"exactly": {"uri": 0}}, NOT),
        ({"only": ["dns"]}, NOT),
        ({"maximum": 1}, NOT),
        ({"values": SPIFFE}, NOT),
        ({"wildcard": "forbidden"}, NOT),
    ],
)
def test_a_missing_extension_violates_only_the_fields_that_require_names(
    field: dict[str, Any], expected: Status
) -> None:
    one = demand("san", **field)
    assert status(one, Made().check_input()) is expected
    assert ("missing" in {violation.variant for violation in one.violations()}) is (expected is FAIL)


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("subject", [name(("CN", "host")), name()], ids=["subject", "empty"])
def test_the_extension_is_critical_exactly_if_the_subject_is_empty(critical: bool, subject: bytes) -> None:
    checked = Made(subject=subject, extensions=(san(DNS, critical=critical),)).check_input()
    is_empty = subject == name()
    for value, expected in (
        (True, critical),
        (False, not critical),
        ("if-subject-empty", critical is is_empty),
    ):
        assert (status(demand("san", critical=value), checked) is PASS) is expected


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"only": ["dns"], "exactly": {"uri": 1}}, "a name of the kind uri is required, but 'only' or"),
    ({"forbidden": ["upn"], "all_of": ["UPN"]}, "a name of the kind UPN is required, but"),
    ({"only": ["dns"], "kinds": ["ip"]}, "excludes all of 'kinds'"),
    ({"exactly": {"dns": 3}, "at_most": {"dns": 2}}, "3 of the kind dns is required, but only 2 permitted"),
    ({"exactly": {"dns": 0}, "all_of": ["dns"]}, "a name of the kind dns is required, but only 0 permitted"),
    ({"exactly": {"dns": 1}, "contains": {"dns": ["a.test", "b.test"]}}, "2 of the kind dns"),
    ({"maximum": 1, "all_of": ["dns", "uri"]}, "2 names are required, but 'maximum' is 1"),
    ({"contains": {"ip": ["a.test"]}}, "'a.test' is not a value of a name of the kind ip"),
    ({"contains": {"dns": ["*.a.test"]}, "wildcard": "forbidden"}, "'contains' requires '*.a.test'"),
    ({"contains": {"dns": ["localhost"]}, "public_names": True}, "'contains' requires 'localhost'"),
    ({"contains": {"uri": ["https://a.test/"]}, "values": SPIFFE}, "'contains' requires 'https://a.test/'"),
    ({"values": {"dns": {"schemes": ["https"]}}}, "'schemes' is a condition for names of the kind uri"),
    ({"values": {"uri": {"type": "UTF8String"}}}, "'type' is a condition for an otherName, such as UPN"),
    ({"values": {"uri": {"pattern": ".*"}}}, "'counterexample' must be a value that does not match"),
    ({"values": {"ip": {"pattern": "8.*"}}}, "'counterexample' must be a value that a name of the kind ip"),
    ({"values": {"uri": {"counterexample": "x"}}}, "no condition given; set at least one of pattern"),
    ({"values": {"uri": {"match": "some"}}}, "no condition given; set at least one of pattern"),
    (
        {"values": {"UPN": {"type": "UTF8Strin"}}},
        "no such ASN.1 type: 'UTF8Strin' (did you mean 'UTF8String'?)",
    ),
    ({"values": {"uri": {"schemes": ["https:"]}}}, "'https:' is not the scheme of a URI, such as https"),
    ({"only": ["DNS"]}, "no such kind of name: 'DNS'"),
    ({"exactly": {"HardwareModule": 1}}, "did you mean 'HardwareModuleName'?"),
    ({"critical": "sometimes"}, "this must be true, false or if-subject-empty"),
    ({"wildcard": "left"}, "'allowed', 'whole-label' or 'forbidden'"),
]


@pytest.mark.parametrize(("parameters", "words"), MISTAKES)
def test_contradictory_and_misplaced_fields_are_errors(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        demand("san", **parameters)
    assert words in str(error.value)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("field", "variant", "pattern", "number"),
    [
        ({}, "", "DNS:", 2),
        ({}, "", r"othername: ?UPN:", 1),
        ({"exactly": {"uri": 1}}, "no-uri", "URI:", 0),
        ({"exactly": {"uri": 1}}, "too-many-uri", "URI:", 2),
        ({"all_of": ["dns", "ip"]}, "no-dns", "DNS:", 0),
        ({"all_of": ["dns", "ip"]}, "no-ip", "IP Address:", 0),
        ({"forbidden": ["rid"]}, "with-rid", "Registered ID:", 1),
        ({"maximum": 25}, "too-many", "(DNS|URI|IP Address|email|othername):", 26),
        ({"values": SPIFFE}, "uri-value", "URI:https://contoso.com/a", 1),
        ({"contains": {"dns": ["alt.contoso.com"]}}, "without-alt-contoso-com", "DNS:alt[.]contoso[.]com", 0),
        ({"wildcard": "forbidden"}, "wildcard", r"DNS:\*[.]", 1),
        ({"no_trailing_dot": True}, "trailing-dot", r"DNS:[^,\n]*[.](,|$)", 1),
        ({"same_case": True}, "other-case", "DNS:WWW[.]CONTOSO[.]COM", 1),
        ({"critical": False}, "criticality", "Alternative Name: critical", 1),
        ({"exactly": {"HardwareModuleName": 0}}, "with-hardwaremodulename", r"othername:", 2),
    ],
)
def test_openssl_shows_the_violation(
    field: dict[str, Any], variant: str, pattern: str, number: int, tmp_path: Path
) -> None:
    cases = {violation.variant: case for violation, case in broken(demand("san", **field), BASE)}
    path = tmp_path / "certificate.der"
    path.write_bytes(certificate_of(cases[variant] if variant else BASE).der)
    text = run("openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectAltName", "-in", path)
    assert len(re.findall(pattern, text, re.MULTILINE)) == number, text


def test_the_effort_for_a_name_does_not_depend_on_their_number() -> None:
    efforts = []
    for number in (100, 200, 400):
        names = [f"dns:n{one}.contoso.com" for one in range(number)]
        certificate = certificate_of(case_of({"subject": {"CN": "n0.contoso.com"}, "san": names}))
        one, checked = demand("san", covers_cn=True), CheckInput(now=CLOCK, certificate=certificate)
        assert status(one, checked) is Status.PASS
        efforts.append(calls(lambda: one.check(checked)))  # noqa: B023
    assert efforts[2] - efforts[1] < 2.5 * (efforts[1] - efforts[0])
