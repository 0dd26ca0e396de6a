"""Names: values that attributes cannot have, and alternative names by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.profile.specifications import alternative_names
from tests.profile.documents import certificates, refused_certificates


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("subject: {CN: console}", [("dns", "console")]),
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
