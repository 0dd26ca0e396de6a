"""Names: values that attributes cannot have, and alternative names by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.profile.name_fields import GeneralName, parse_general_name
from pkigen.profile.specifications import alternative_names
from tests.profile.documents import certificates, refused_certificates


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("subject: {CN: console}", [("dns", "console")]),
        ("subject: {CN: console}, extended_key_usage: [serverAuth]", [("dns", "console")]),
        ("subject: {CN: console}, extended_key_usage: [any, clientAuth]", [("dns", "console")]),
        ("subject: {CN: console}, extended_key_usage: [clientAuth]", []),
        ("subject: {CN: a.test}, extended_key_usage: [clientAuth]", [("dns", "a.test")]),
        ("subject: {CN: '::1'}, extended_key_usage: [clientAuth]", [("ip", "::1")]),
        ("subject: {CN: [a.test, 10.0.0.1]}", [("dns", "a.test"), ("ip", "10.0.0.1")]),
        ("subject: {CN: 1.2.3}", []),
        ("subject: {CN: a.test}, san: ['dns:b.test']", [("dns", "b.test")]),
        ("subject: {CN: a.test}, san: none", []),
    ],
)
def test_host_names_in_common_names_are_the_alternative_names(
    tmp_path: Path, fields: str, names: list[tuple[str, str]]
) -> None:
    spec = certificates(tmp_path, f"one: {{issuer: root, {fields}}}\n")["one"]
    assert [(name.kind, name.value) for name in alternative_names(spec)] == names


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("{emailAddress: ü@b.test}", "emailAddress is an IA5String, which cannot hold 'ü@b.test'"),
        ("{DC: ü}", "DC is an IA5String, which cannot hold 'ü'"),
        ("{serialNumber: 4_711}", "serialNumber is a PrintableString, which cannot hold '4_711'"),
        ("{CN+UID: [a]}", "CN+UID is one RDN and needs a list of 2 values, one for each type"),
        ("{CN+CN: [a, b]}", "CN+CN names an attribute type twice, which one RDN cannot (X.501)"),
        ("{CN+UID: [a, '']}", "CN+UID: the value of UID must be one text that is not empty"),
    ],
)
def test_a_value_that_an_attribute_cannot_have_is_an_error_with_the_reason(
    tmp_path: Path, subject: str, problem: str
) -> None:
    errors = refused_certificates(tmp_path, f"one: {{issuer: root, subject: {subject}}}\n")
    assert f": {problem}" in errors


def test_an_rdn_of_several_attributes_keeps_their_order(tmp_path: Path) -> None:
    spec = certificates(tmp_path, "one: {issuer: root, subject: {O: a, CN+UID: [b, c], OU: d}}\n")["one"]
    assert spec.subject == (("O", "a"), ("CN", "b"), ("+UID", "c"), ("OU", "d"))


@pytest.mark.parametrize(
    "name",
    [
        "dns:a.test",
        "ip:10.0.0.1",
        "email:a@b.test",
        "uri:https://a.test/x",
        "upn:user@a.test",
        "krb5:HTTP/a.test@REALM",
        "smtputf8:ä@b.test",
        "rid:1.2.3",
        "srv:_ldap.a.test",
        "hardware:1.2.3/SN-1",
        "hardware:1.2.3/0x0a1b",
        "ntds:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ],
)
def test_a_name_keeps_its_kind_and_value(name: str) -> None:
    kind, _, value = name.partition(":")
    assert parse_general_name(name) == GeneralName(kind, value)


@pytest.mark.parametrize("name", ["ip:10.0.0.0/8", "dns:.a.test", "dns:", "email:b.test", "uri:.b.test"])
def test_a_base_of_name_constraints_is_no_name(name: str) -> None:
    kind, _, value = name.partition(":")
    assert parse_general_name(name, constraint=True) == GeneralName(kind, value)
    with pytest.raises(ValueError, match="is not "):
        parse_general_name(name)
