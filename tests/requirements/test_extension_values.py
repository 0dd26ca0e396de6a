"""The values of extensions, name constraints, policy constraints, key identifiers and sizes at boundaries."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pkigen.asn1 import der, oids
from pkigen.requirements.asn1_values import ValueType, encoded, text_of
from pkigen.requirements.demands import KINDS
from pkigen.x509 import Malformed
from pkigen.x509.timestamps import sct_list, timestamps
from tests.requirements.certificate_builder import Made, crl_point, extension, name

OID = "1.3.6.1.4.1.50316.802.1"


def _status(kind: str, parameters: dict[str, Any], *extensions: bytes, **around: Any) -> str:
    made = Made(extensions=extensions)
    return str(KINDS[kind].model_validate(parameters).check(made.check_input(**around)).status)


VALUES: list[tuple[ValueType, str, str]] = [
    ("UTF8String", "Rolle-Ä", "UTF8:Rolle-Ä"),
    ("PrintableString", "Operator", "PRINTABLE:Operator"),
    ("IA5String", "a@b", "IA5:a@b"),
    ("BMPString", "DomainController", "BMP:DomainController"),
    ("INTEGER", "-129", "INT:-129"),
    ("ENUMERATED", "3", "ENUM:3"),
    ("BOOLEAN", "true", "BOOL:true"),
    ("NULL", "", "NULL"),
    ("OBJECT IDENTIFIER", "1.3.6.1.4.1.311.21.8", "OID:1.3.6.1.4.1.311.21.8"),
    ("OCTET STRING", "00ff", "FORMAT:HEX,OCT:00ff"),
]


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("kind", "text", "generated"), VALUES)
def test_openssl_generates_the_same_value(kind: ValueType, text: str, generated: str, tmp_path: Path) -> None:
    path = tmp_path / "value.der"
    command = ["openssl", "asn1parse", "-genstr", generated, "-noout", "-out", str(path)]
    if not generated.isascii():
        command[3] = f"FORMAT:UTF8,{generated}"
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert path.read_bytes() == encoded(kind, text)
    assert text_of(kind, path.read_bytes()) == text


SID = "S-1-5-21-1004336348-1177238915-682003330-512"


def test_the_identifier_of_an_account_and_the_oid_of_a_template_are_texts() -> None:
    # The example of MS-WCCE, 2.2.2.7.7.4, with another identifier.
    value = encoded("SID", SID)
    assert value[:20].hex() == "303ea03c060a2b060104018237190201a02e042c"
    assert text_of("SID", value) == SID
    template = der.sequence(der.oid("1.3.6.1.4.1.311.21.8.1"), der.integer(100), der.integer(3))
    assert text_of("certificate template", template) == "1.3.6.1.4.1.311.21.8.1"


@pytest.mark.parametrize(
    "value", [b"", b"\x04\x00", b"\x30\x00", b"\x0c\x02a", b"\x0c\x01\xff", b"\x13\x01\xff"]
)
@pytest.mark.parametrize("kind", ["UTF8String", "SID", "certificate template", "INTEGER", "NULL"])
def test_a_value_of_another_type_is_malformed(kind: ValueType, value: bytes) -> None:
    with pytest.raises(Malformed):
        text_of(kind, value)


def _utf8(text: str) -> bytes:
    return extension(OID, der.string(der.UTF8_STRING, text))


ROLE = {"oid": OID, "type": "UTF8String"}
SCTS = {"oid": "signed_certificate_timestamps", "minimum": 2}


def _scts(count: int) -> bytes:
    return extension(oids.SIGNED_CERTIFICATE_TIMESTAMPS, sct_list([bytes(47)] * count))


@pytest.mark.parametrize(
    ("parameters", "extensions", "status"),
    [
        (ROLE, [_utf8("Operator")], "pass"),
        (ROLE, [extension(OID, der.string(der.PRINTABLE_STRING, "Operator"))], "fail"),
        (ROLE, [], "not applicable"),
        ({**ROLE, "required": True}, [], "fail"),
        ({**ROLE, "once": True}, [_utf8("a"), _utf8("a")], "fail"),
        ({**ROLE, "value": "Operator"}, [_utf8("Operator")], "pass"),
        ({**ROLE, "value": "Operator"}, [_utf8("operator")], "fail"),
        ({**ROLE, "one_of": ["a", "b"]}, [_utf8("b")], "pass"),
        ({**ROLE, "one_of": ["a", "b"]}, [_utf8("c")], "fail"),
        ({**ROLE, "pattern": "[a-z]+", "counterexample": "A"}, [_utf8("ab")], "pass"),
        ({**ROLE, "pattern": "[a-z]+", "counterexample": "A"}, [_utf8("aB")], "fail"),
        (
            {"oid": "2.5.29.56", "type": "NULL", "required": True},
            [extension("2.5.29.56", der.null())],
            "pass",
        ),
        ({"oid": "2.5.29.56", "type": "NULL"}, [extension("2.5.29.56", der.sequence())], "fail"),
        ({"oid": OID, "type": "OCTET STRING", "value": "00FF"}, [extension(OID, b"\4\2\0\xff")], "pass"),
        (SCTS, [_scts(2)], "pass"),
        (SCTS, [_scts(1)], "fail"),
        ({"oid": OID, "minimum": 1}, [extension(OID, der.sequence(der.null()))], "pass"),
        ({"oid": OID, "minimum": 1}, [extension(OID, der.sequence())], "fail"),
    ],
)
def test_the_value_of_an_extension(parameters: dict[str, Any], extensions: list[bytes], status: str) -> None:
    assert _status("extension", parameters, *extensions) == status


def test_an_incomplete_timestamp_is_malformed() -> None:
    assert len(timestamps(sct_list([bytes(47)]))) == 1
    for value in (sct_list([bytes(40)]), der.octet_string(b"\0\5\0\1\0"), der.octet_string(b"")):
        with pytest.raises(Malformed):
            timestamps(value)


def _subtrees(tag: int, *names: bytes) -> bytes:
    return der.tlv(tag, *(der.sequence(one) for one in names))


PERMITTED = _subtrees(0xA0, der.tlv(0x82, b"Example.test"), der.tlv(0x87, bytes((10, 0, 0, 0, 255, 0, 0, 0))))
NAMES = extension(oids.NAME_CONSTRAINTS, der.sequence(PERMITTED), critical=True)
NUMBERS = extension(oids.POLICY_CONSTRAINTS, der.sequence(b"\x80\x01\x03"), critical=False)
IDENTIFIER = extension(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(bytes(20)))
TWO = crl_point("http://a.test/a.crl", "http://a.test/b.crl")


@pytest.mark.parametrize(
    ("kind", "parameters", "extensions", "status"),
    [
        ("name_constraints", {"required": True}, [], "fail"),
        ("name_constraints", {"forbidden": True}, [], "pass"),
        ("name_constraints", {"forbidden": True}, [NAMES], "fail"),
        ("name_constraints", {"critical": True}, [NAMES], "pass"),
        ("name_constraints", {"critical": False}, [NAMES], "fail"),
        ("name_constraints", {"permitted": ["dns:example.test", "ip:10.0.0.0/8"]}, [NAMES], "pass"),
        ("name_constraints", {"permitted": ["dns:other.test"]}, [NAMES], "fail"),
        ("name_constraints", {"excluded": ["dns:example.test"]}, [NAMES], "fail"),
        ("policy_constraints", {"require_explicit_policy": 3}, [NUMBERS], "pass"),
        ("policy_constraints", {"require_explicit_policy": 2}, [NUMBERS], "fail"),
        ("policy_constraints", {"inhibit_policy_mapping": 0}, [NUMBERS], "fail"),
        ("policy_constraints", {"critical": True}, [NUMBERS], "fail"),
        ("policy_constraints", {"required": True}, [], "fail"),
        ("subject_key_identifier", {"length": 20}, [IDENTIFIER], "pass"),
        ("subject_key_identifier", {"length": 19}, [IDENTIFIER], "fail"),
        ("subject_key_identifier", {"method_1": True}, [IDENTIFIER], "fail"),
        ("crl_distribution_point", {"maximum": 2}, [TWO], "pass"),
        ("crl_distribution_point", {"maximum": 1}, [TWO], "fail"),
        ("crl_distribution_point", {"exactly": 2}, [TWO], "pass"),
        ("crl_distribution_point", {"exactly": 3}, [TWO], "fail"),
        ("aia", {"forbidden": ["ocsp"]}, [], "pass"),
    ],
)
def test_extensions_with_a_demand_of_their_own(
    kind: str, parameters: dict[str, Any], extensions: list[bytes], status: str
) -> None:
    assert _status(kind, parameters, *extensions) == status


@pytest.mark.parametrize(("most", "status"), [(1, "fail"), (2, "pass")])
def test_the_number_of_authorities_in_the_path_is_limited(most: int, status: str) -> None:
    issuing = Made(issuer=name(("CN", "Root")), subject=name(("CN", "CA"))).check_input().certificate
    root = Made(issuer=name(("CN", "Root")), subject=name(("CN", "Root"))).check_input().certificate
    demand = KINDS["certification_path"].model_validate({"maximum_length": most})
    outcome = demand.check(Made().check_input(planned_chain=(issuing, root)))
    assert (outcome.expected == f"at most {most} CAs") is (status == "fail")


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("extension", {"type": "UTF8String"}, "'oid' is missing"),
        ("extension", {"oid": OID, "name": OID}, "'oid' excludes 'name'"),
        ("extension", {"oid": OID, "value": "x"}, "'type' is missing"),
        ("extension", {**ROLE, "value": "x", "one_of": ["x"]}, "only one of value, one_of and pattern"),
        ("extension", {**ROLE, "pattern": "x", "counterexample": "x"}, "'counterexample' must be a value"),
        (
            "extension",
            {"oid": OID, "type": "INTEGER", "value": "x"},
            "'x' is not a value of the type INTEGER",
        ),
        ("extension", {"oid": OID, "type": "OCTET STRING", "value": "0"}, "'0' is not a value of the type"),
        ("extension", {**ROLE, "forbidden": True}, "a forbidden extension has no value"),
        ("name_constraints", {"forbidden": True, "permitted": ["dns:a.test"]}, "'forbidden' excludes"),
        ("name_constraints", {"permitted": ["a.test"]}, "'a.test' is not a subtree"),
        ("name_constraints", {"permitted": ["dns:a"], "excluded": ["dns:a"]}, "permitted and excluded"),
        ("policy_constraints", {}, "no condition given"),
        ("subject_key_identifier", {"method_1": True, "length": 21}, "a SHA-1 digest has 20 bytes, not 21"),
        ("crl_distribution_point", {"exactly": 1, "maximum": 1}, "only one of exactly and maximum"),
        ("aia", {"required": ["ocsp"], "forbidden": ["ocsp"]}, "ocsp cannot be required and forbidden"),
        ("crl", {"maximum_age": "-1d"}, "'-1d' is negative"),
        ("crl", {}, "no condition given"),
    ],
)
def test_contradictory_fields_are_rejected(kind: str, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KINDS[kind].model_validate(parameters)
    assert words in str(caught.value)
