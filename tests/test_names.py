"""Names: in DER they are what cryptography makes of the same attributes, and come back the same."""

from __future__ import annotations

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


def test_a_decoded_name_is_encoded_to_the_same_octets() -> None:
    odd = (
        (Attribute("2.5.4.3", b"\xff\xfe", der.UTF8_STRING), Attribute("2.5.4.10", "x", der.TELETEX_STRING)),
        (Attribute("1.2.3.4", b"\x05", der.INTEGER),),
    )
    data = names.encode(odd)
    assert names.encode(names.decode(data)) == data
    assert names.text(names.decode(data)) == "O=x + CN=#fffe, 1.2.3.4=#05"


def test_an_attribute_type_that_is_not_known_goes_by_its_oid() -> None:
    assert names.text(names.name([("1.2.3.4", "x")])) == "1.2.3.4=x"
