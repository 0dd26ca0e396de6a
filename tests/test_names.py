"""Names in DER equal those of cryptography for the same attributes, and decode to the same name."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkigen.asn1 import der, names
from pkigen.model import Attribute


def test_a_name_is_encoded_as_cryptography_encodes_it() -> None:
    ours = names.encode(
        names.name([("C", "US"), ("O", "Contoso Inc."), ("OU", "Läbs"), ("CN", "a.test"), ("DC", "test")])
    )
    theirs = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso Inc."),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Läbs"),
            x509.NameAttribute(NameOID.COMMON_NAME, "a.test"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "test"),
        ]
    )
    assert ours == theirs.public_bytes()


def test_a_decoded_name_is_encoded_to_the_same_bytes() -> None:
    odd = (
        (Attribute("2.5.4.3", b"\xff\xfe", der.UTF8_STRING), Attribute("2.5.4.10", "x", der.TELETEX_STRING)),
        (Attribute("1.2.3.4", b"\x05", der.INTEGER),),
    )
    data = names.encode(odd)
    assert names.encode(names.decode(data)) == data
    assert names.text(names.decode(data)) == "O=x + CN=#fffe, 1.2.3.4=#05"


def test_an_unknown_attribute_type_is_shown_as_its_oid() -> None:
    assert names.text(names.name([("1.2.3.4", "x")])) == "1.2.3.4=x"


def test_values_of_a_type_are_returned_in_order_with_bytes_in_hex() -> None:
    name = names.name([("CN", "a"), ("O", "b"), ("CN", "c")])
    raw = ((Attribute("2.5.4.3", b"\xff", der.UTF8_STRING),),)
    assert names.values((*name, *raw), names.COMMON_NAME) == ("a", "c", "#ff")
    assert names.values(name, "2.5.4.6") == ()


def test_a_name_is_shown_in_encoded_order_with_short_names() -> None:
    assert names.text(names.name([("C", "US"), ("O", "Contoso, Inc."), ("CN", "a")])) == (
        "C=US, O=Contoso, Inc., CN=a"
    )
    assert names.name([("C", "US"), ("1.2.3", "x")]) == (
        (Attribute("2.5.4.6", "US", der.PRINTABLE_STRING),),
        (Attribute("1.2.3", "x", der.UTF8_STRING),),
    )


def test_every_string_type_is_decoded_to_text() -> None:
    tags = (der.UTF8_STRING, der.TELETEX_STRING, der.BMP_STRING, der.UNIVERSAL_STRING)
    name = tuple((Attribute("2.5.4.3", "ü", tag),) for tag in tags)
    assert names.decode(names.encode(name)) == name
    invalid = ((Attribute("2.5.4.3", b"\xfc", der.PRINTABLE_STRING),),)
    assert names.decode(names.encode(invalid)) == invalid


@pytest.mark.parametrize(("short", "attribute"), sorted(names.ATTRIBUTE_TYPES.items()))
def test_attribute_types_are_those_of_cryptography(short: str, attribute: tuple[str, int]) -> None:
    identifier, tag = attribute
    value = "US" if short in ("C", "jurisdictionC") else "x"
    ours = names.encode(names.name([(short, value)]))
    theirs = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(identifier), value)])
    assert ours == theirs.public_bytes()
    assert (names.decode(ours)[0][0].tag, names.text(names.decode(ours))) == (tag, f"{short}={value}")


def test_a_plus_adds_an_attribute_to_the_previous_rdn() -> None:
    name = names.name([("O", "Contoso"), ("CN", "a"), ("+serialNumber", "7")])
    assert [[(one.oid, one.value) for one in rdn] for rdn in name] == [
        [("2.5.4.10", "Contoso")],
        [("2.5.4.3", "a"), ("2.5.4.5", "7")],
    ]


def test_names_are_compared_without_case_spaces_and_string_type() -> None:
    def normalized(value: str | bytes, tag: int = der.UTF8_STRING) -> object:
        return names.normalized(((Attribute("2.5.4.3", value, tag),),))

    assert normalized("  Test   CA ") == normalized("test ca", der.PRINTABLE_STRING)
    assert normalized("\u212b") == normalized("\u00c5") == normalized("A\u030a")
    assert normalized("stra\u00dfe") == normalized("STRASSE")
    assert normalized("testca") != normalized("test ca") != normalized("other")
    assert normalized("a") != normalized(b"a")
    assert normalized(b"a") != normalized(b"b")
    assert normalized(b"a") != normalized(b"a", der.BMP_STRING)
    first, second = Attribute("2.5.4.3", "a", der.UTF8_STRING), Attribute("2.5.4.10", "b", der.UTF8_STRING)
    assert names.normalized(((first, second),)) == names.normalized(((second, first),))
    assert names.normalized(((first,), (second,))) != names.normalized(((second,), (first,)))


@pytest.mark.parametrize("value", ["a.test", "Acme, Inc.", '#1 + "2" <3>; 4\\5', " both ends ", "a\0b", " "])
def test_the_string_for_ldap_is_that_of_cryptography(value: str) -> None:
    name = names.name([("C", "US"), ("O", value), ("CN", "a.test")])
    theirs = x509.Name.from_rfc4514_string(names.rfc4514(name))
    assert [one.value for one in theirs] == ["US", value, "a.test"]
