"""What is the end entity's, and which way leads up: with renewed, cross-certified and missing CAs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.errors import InputError, Refused
from pkigen.inspection.conversion import find_leaf, order_chain
from pkigen.x509 import Certificate, PublicKey
from pkigen.x509.public_key import public_key
from tests.effort import calls

_NOW = datetime.now(UTC)
_CURVE = ec.SECP256R1()


class Authority:
    """A key with a name; it signs for itself and for others."""

    def __init__(self, name: str, *, printable: bool = False) -> None:
        kind = x509.name._ASN1Type.PrintableString if printable else x509.name._ASN1Type.UTF8String
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name, _type=kind)])
        self.key = ec.generate_private_key(_CURVE)

    @property
    def public(self) -> PublicKey:
        """The public key as it is matched."""
        return public_key(self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def certify(
        self,
        subject: Authority,
        *,
        ca: bool | None = True,
        identified: bool = True,
        days: int = 30,
        claims: Authority | None = None,
    ) -> Certificate:
        """A certificate; ``ca`` of None leaves basic constraints out, ``claims`` is the AKI's authority."""
        builder = x509.CertificateBuilder(self.name, subject.name, subject.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(_NOW).not_valid_after(_NOW + timedelta(days))
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if identified:
            subject_key_id = x509.SubjectKeyIdentifier.from_public_key(subject.key.public_key())
            authority_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(
                (claims or self).key.public_key()
            )
            builder = builder.add_extension(subject_key_id, False).add_extension(authority_key_id, False)
        return Certificate(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER))


ROOT, MIDDLE, ISSUING, SENSOR = (Authority(name) for name in ("root", "middle", "issuing", "sensor"))
PATH = (
    ISSUING.certify(SENSOR, ca=False),
    MIDDLE.certify(ISSUING),
    ROOT.certify(MIDDLE),
    ROOT.certify(ROOT),
)


def test_every_order_of_a_path_gives_the_same_leaf_and_chain() -> None:
    for order in permutations(PATH):
        assert find_leaf(order) == PATH[0]
        assert order_chain(PATH[0], order) == PATH[1:]


def test_a_key_selects_its_certificate_even_if_it_is_a_ca() -> None:
    assert find_leaf(PATH, [MIDDLE.public]) == PATH[2]
    assert order_chain(PATH[2], PATH) == PATH[3:]


def test_a_key_of_no_certificate_is_rejected_and_the_certificates_are_named() -> None:
    with pytest.raises(Refused, match=r"key does not belong to the certificates: CN=sensor .*; CN=issuing"):
        find_leaf(PATH, [Authority("x").public])


def test_a_point_in_its_compressed_form_is_the_same_key() -> None:
    compressed = SENSOR.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    whole = SENSOR.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    info = SENSOR.public.der
    shorter = info.replace(b"\x03\x42\x00" + whole, b"\x03\x22\x00" + compressed)
    shorter = shorter[:1] + bytes((shorter[1] - 32,)) + shorter[2:]
    assert find_leaf(PATH, [PublicKey(shorter, "ec-p256", "ec", 256)]) == PATH[0]


def test_a_missing_issuer_ends_the_chain_and_unrelated_certificates_are_excluded() -> None:
    stranger = Authority("stranger")
    assert order_chain(PATH[0], [stranger.certify(stranger), PATH[3], PATH[1]]) == PATH[1:2]
    assert order_chain(PATH[0], [PATH[3]]) == ()


def test_a_root_has_nothing_above_it() -> None:
    assert order_chain(PATH[3], PATH) == ()
    assert find_leaf(PATH[3:]) == PATH[3]


@pytest.mark.parametrize("identified", [True, False])
def test_of_two_cas_with_one_name_the_signer_is_selected(identified: bool) -> None:
    old, new, end = Authority("CA"), Authority("CA"), Authority("end")
    roots = [one.certify(one, identified=identified) for one in (old, new)]
    for signer, root in zip((old, new), roots, strict=True):
        leaf = signer.certify(end, ca=False, identified=identified)
        for order in (roots, roots[::-1]):
            assert order_chain(leaf, order) == (root,)
            assert find_leaf([*order, leaf]) == leaf


def test_the_certificate_of_an_issuing_ca_that_expires_last_is_selected() -> None:
    renewed = MIDDLE.certify(ISSUING, days=60)
    for order in permutations((*PATH, renewed)):
        assert order_chain(PATH[0], order) == (renewed, *PATH[2:])


def test_a_cross_certificate_without_its_root_is_not_part_of_the_chain() -> None:
    cross = Authority("elsewhere").certify(MIDDLE, days=90)
    for order in permutations((*PATH, cross)):
        assert order_chain(PATH[0], order) == PATH[1:]


def test_cas_that_certified_each_other_do_not_cause_an_endless_chain() -> None:
    one, two = Authority("one"), Authority("two")
    circle = [one.certify(two), two.certify(one)]
    leaf = one.certify(SENSOR, ca=False)
    assert len(order_chain(leaf, circle)) == 2
    assert find_leaf([*circle, leaf]) == leaf
    with pytest.raises(InputError, match="ambiguous input; specify one certificate or its key"):
        find_leaf(circle)


def test_names_are_compared_by_rfc_5280_and_not_by_bytes() -> None:
    printable, utf8 = Authority("The CA", printable=True), Authority("the  ca")
    utf8.key = printable.key
    leaf = utf8.certify(SENSOR, ca=False)
    root = printable.certify(printable)
    assert order_chain(leaf, [root]) == (root,)


def test_a_wrong_key_identifier_does_not_hide_the_authority_that_signed() -> None:
    leaf = ISSUING.certify(SENSOR, ca=False, claims=ROOT)
    assert order_chain(leaf, PATH) == PATH[1:]
    stranger = Authority("issuing")
    assert order_chain(leaf, [stranger.certify(stranger)]) == ()


def test_several_end_entities_are_listed_without_an_unrelated_root() -> None:
    other = ISSUING.certify(Authority("other"), ca=False)
    with pytest.raises(
        InputError, match=r"specify one certificate or its key: CN=sensor \(serial .*\); CN=other \(serial"
    ):
        find_leaf((*PATH, other))
    stranger = Authority("stranger")
    assert find_leaf([stranger.certify(stranger), *PATH]) == PATH[0]


def test_a_long_list_is_truncated() -> None:
    many = [ISSUING.certify(Authority(f"host-{n}"), ca=False) for n in range(12)]
    with pytest.raises(InputError, match=r"host-7 \(serial [0-9a-f]+\); and 4 more$"):
        find_leaf(many)


def test_two_certificates_of_one_key_are_listed() -> None:
    with pytest.raises(InputError, match="the key belongs to several certificates"):
        find_leaf([*PATH, ISSUING.certify(SENSOR, ca=False)], [SENSOR.public])
    assert find_leaf([PATH[0], PATH[0]], [SENSOR.public]) == PATH[0]


def test_very_many_authorities_of_one_name_are_sorted_in_linear_time() -> None:
    top = Authority("top")
    many = []
    for number in range(400):
        same = Authority("same")
        many.append(top.certify(same, identified=number % 2 == 0))
    leaf = same.certify(SENSOR, ca=False, identified=False)
    crowd = [*many, *(same.certify(Authority("same"), identified=False) for _ in range(400)), leaf]
    assert find_leaf(crowd) == leaf
    assert calls(lambda: find_leaf(crowd)) < 200_000
    assert calls(lambda: order_chain(leaf, crowd)) < 200_000


def test_a_self_signed_certificate_without_basic_constraints_is_an_end_entity() -> None:
    lone = SENSOR.certify(SENSOR, ca=None)
    assert find_leaf([lone, PATH[3]]) == lone
    assert order_chain(lone, PATH) == ()


def test_an_empty_list_has_no_leaf() -> None:
    with pytest.raises(InputError, match="there is no certificate"):
        find_leaf([])
