"""Edits of encoded bytes: each changes the given element, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import assume, given
from hypothesis import strategies as st

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.model import Edit, EditOp

LEAVES = st.builds(der.tlv, st.sampled_from([0x02, 0x05, 0x0C, 0x80]), st.binary(max_size=150))
TREES = st.recursive(
    LEAVES,
    lambda inside: st.one_of(
        st.builds(
            lambda tag, parts: der.tlv(tag, *parts),
            st.sampled_from([0x30, 0x31, 0xA3]),
            st.lists(inside, min_size=1, max_size=4),
        ),
        st.builds(der.octet_string, inside),
        st.builds(der.bit_string, inside),
    ),
    max_leaves=12,
)
WRAPPERS = {0x30: 0, 0x31: 0, 0xA3: 0, der.OCTET_STRING: 0, der.BIT_STRING: 1}
"""Tags of elements with children, and the number of bytes before the children."""


def _paths(data: bytes, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Every element of a structure, with the path to it."""
    yield path, data
    if data[0] in WRAPPERS:
        inside = der.tlv(der.SEQUENCE, der.contents(data)[WRAPPERS[data[0]] :])
        for number, child in enumerate(der.children(inside)):
            yield from _paths(child, (*path, number))


@st.composite
def _places(draw: st.DrawFn) -> tuple[bytes, tuple[int, ...], bytes]:
    """Draw a structure, the path to one of its elements, and this element."""
    data = draw(TREES)
    path, element = draw(st.sampled_from(list(_paths(data))))
    return data, path, element


def _made(data: bytes, path: tuple[int, ...], op: EditOp, inserted: bytes = b"") -> bytes:
    return edited(data, (Edit(path, op, inserted),), signed=True)


def _at(data: bytes, path: tuple[int, ...]) -> bytes:
    return dict(_paths(data))[path]


Place = tuple[bytes, tuple[int, ...], bytes]


@given(_places(), LEAVES)
def test_a_replacement_changes_only_its_element(place: Place, other: bytes) -> None:
    data, path, element = place
    changed = _made(data, path, EditOp.REPLACE, other)
    assert _at(changed, path) == other
    assert _made(changed, path, EditOp.REPLACE, element) == data


@given(_places(), LEAVES)
def test_an_inserted_element_can_be_removed(place: Place, other: bytes) -> None:
    data, path, element = place
    assume(path)
    *above, number = path
    before, after = _made(data, path, EditOp.INSERT, other), _made(data, path, EditOp.APPEND, other)
    assert (_at(before, path), _at(before, (*above, number + 1))) == (other, element)
    assert (_at(after, path), _at(after, (*above, number + 1))) == (element, other)
    assert _made(before, path, EditOp.REMOVE) == data
    assert _made(after, (*above, number + 1), EditOp.REMOVE) == data


@given(_places(), st.binary(min_size=1, max_size=1), st.binary(max_size=200))
def test_tag_and_contents_change_independently(place: Place, byte: bytes, inserted: bytes) -> None:
    _, _, element = place
    retagged = _made(element, (), EditOp.RETAG, byte)
    assert (retagged[:1], retagged[1:]) == (byte, element[1:])
    refilled = _made(element, (), EditOp.REPLACE_CONTENTS, inserted)
    assert (refilled[0], der.contents(refilled)) == (element[0], inserted)
    longer = _made(element, (), EditOp.PREPEND_CONTENTS, inserted)
    assert (longer[0], der.contents(longer)) == (element[0], inserted + der.contents(element))


@given(_places(), st.binary(min_size=1, max_size=1))
def test_a_prepended_byte_can_be_removed(place: Place, byte: bytes) -> None:
    _, _, element = place
    assert _made(_made(element, (), EditOp.PREPEND_CONTENTS, byte), (), EditOp.DROP_FIRST_BYTE) == element
    shorter = _made(element, (), EditOp.DROP_LAST_BYTE)
    assert der.contents(shorter) == der.contents(element)[:-1]


@given(_places())
def test_flipping_a_bit_twice_restores_it(place: Place) -> None:
    data, path, element = place
    once = _made(data, path, EditOp.FLIP_LAST_BIT)
    assume(der.contents(element))
    assert once != data
    assert len(once) == len(data)
    assert sum((a ^ b).bit_count() for a, b in zip(once, data, strict=True)) == 1


@given(st.binary(min_size=1, max_size=100), st.integers(1, 7))
def test_unused_bits_are_set_and_the_value_differs_without_them(value: bytes, unused: int) -> None:
    made = der.contents(_made(der.bit_string(value), (), EditOp.SET_UNUSED_BITS, bytes((unused,))))
    before, after = (int.from_bytes(inserted, "big") for inserted in (value, made[1:]))
    assert made[0] == unused
    assert after >> unused == before >> unused ^ 1
    assert after % (1 << unused) == (1 << unused) - 1


@given(TREES, st.integers(1, 5))
def test_truncation_removes_bytes_and_keeps_the_length(data: bytes, count: int) -> None:
    cut = _made(data, (), EditOp.TRUNCATE, bytes(count))
    assert cut == data[:-count]


@given(_places())
def test_a_length_with_one_more_byte_has_the_same_value(place: Place) -> None:
    data, path, element = place
    longer = _made(data, path, EditOp.PAD_LENGTH)
    one = _made(element, (), EditOp.PAD_LENGTH)
    tag, start, end = der.read(one)
    assert (tag, one[start:end], end) == (element[0], der.contents(element), len(one))
    assert len(one) == len(element) + 1
    assert one in longer


@given(_places())
def test_an_indefinite_length_ends_in_two_zero_bytes(place: Place) -> None:
    _, _, element = place
    assert (
        _made(element, (), EditOp.INDEFINITE_LENGTH)
        == element[:1] + b"\x80" + der.contents(element) + b"\0\0"
    )


@given(st.binary(max_size=200))
def test_a_constructed_string_has_one_segment(value: bytes) -> None:
    built = _made(der.octet_string(value), (), EditOp.MAKE_CONSTRUCTED)
    assert built[0] == 0x24
    assert der.children(built) == [der.octet_string(value)]


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_a_bare_signature_is_its_two_numbers_at_one_length(r: int, s: int) -> None:
    bare = der.contents(_made(der.bit_string(encode_dss_signature(r, s)), (), EditOp.RAW_ECDSA_NUMBERS))[1:]
    half = len(bare) // 2
    assert len(bare) % 2 == 0
    numbers = int.from_bytes(bare[:half], "big"), int.from_bytes(bare[half:], "big")
    assert numbers == (r, s) == decode_dss_signature(encode_dss_signature(r, s))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_compressed_point_decodes_to_the_same_point(curve: ec.EllipticCurve) -> None:
    for _ in range(8):
        public = ec.generate_private_key(curve).public_key()
        info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        compressed = _made(info, (1,), EditOp.COMPRESS_POINT)
        assert len(compressed) < len(info)
        assert load_der_public_key(compressed) == public


@given(TREES)
def test_only_the_requested_edits_are_applied_in_order(data: bytes) -> None:
    inner, outer = der.integer(1), der.integer(2)
    edits = (
        Edit((), EditOp.REPLACE, inner),
        Edit((), EditOp.APPEND, outer),
        Edit((), EditOp.REMOVE, signed=False),
    )
    assert edited(data, edits, signed=True) == inner + outer
    assert edited(data, edits, signed=False) == b""
    assert edited(data, (), signed=True) == data


def test_edits_of_bytes_at_their_limits() -> None:
    short, long = der.integer(5), b"\x04\x81\x80" + bytes(128)
    numbers = der.bit_string(der.sequence(der.integer(0x58), der.integer(0x5800)))
    edits = [
        (short, EditOp.RETAG, b"\x04\x05", "040105"),
        (short, EditOp.FLIP_LAST_BIT, b"", "020104"),
        (short, EditOp.DROP_LAST_BYTE, b"", "0200"),
        (short, EditOp.DROP_FIRST_BYTE, b"", "0200"),
        (short, EditOp.PAD_LENGTH, b"", "02810105"),
        (der.octet_string(bytes(127)), EditOp.PAD_LENGTH, b"", "04817f" + "00" * 127),
        (long, EditOp.PAD_LENGTH, b"", "04820080" + "00" * 128),
        (der.octet_string(bytes(129)), EditOp.PAD_LENGTH, b"", "04820081" + "00" * 129),
        (der.octet_string(bytes(255)), EditOp.PAD_LENGTH, b"", "048200ff" + "00" * 255),
        (der.octet_string(bytes(256)), EditOp.PAD_LENGTH, b"", "0483000100" + "00" * 256),
        (der.bit_string(b"\x00"), EditOp.SET_UNUSED_BITS, b"\x03", "0302030f"),
        (numbers, EditOp.RAW_ECDSA_NUMBERS, b"", "03050000585800"),
        (der.bit_string(b"\x04" + bytes(3) + b"\x03"), EditOp.COMPRESS_POINT, b"", "030400030000"),
        (der.bit_string(b"\x04" + bytes(3) + b"\x02"), EditOp.COMPRESS_POINT, b"", "030400020000"),
        (der.bit_string(b"\xff"), EditOp.SET_UNUSED_BITS, b"\x03", "030203f7"),
        (der.octet_string(b"abc"), EditOp.ZERO_CONTENTS, b"", "0403000000"),
        (der.bit_string(b"\x04\x01\x02\x03\x03"), EditOp.HYBRID_POINT, b"", "0306000701020303"),
        (der.bit_string(b"\x04\x01\x02\x03\x02"), EditOp.HYBRID_POINT, b"", "0306000601020302"),
        (short, EditOp.MAKE_CONSTRUCTED, b"", "2203020105"),
    ]
    for element, op, inserted, expected in edits:
        assert (op, _made(element, (), op, inserted).hex()) == (op, expected)


def test_the_generator_of_explicit_parameters_becomes_the_public_key() -> None:
    oid, point = der.oid("1.2.840.10045.2.1"), b"\x04\x01\x02"
    parts = [der.integer(number) for number in range(6)]
    element = der.sequence(der.sequence(oid, der.null()), der.bit_string(point))
    made = _made(element, (), EditOp.OWN_GENERATOR, der.sequence(*parts))
    parts[3] = der.octet_string(point)
    assert made == der.sequence(der.sequence(oid, der.sequence(*parts)), der.bit_string(point))


def test_a_forged_signature_is_a_cube_root_that_begins_like_a_sound_one() -> None:
    tbs, algorithm = der.sequence(der.integer(5)), der.sequence(der.null())
    element = der.sequence(tbs, algorithm, der.bit_string(bytes(256)))
    same_tbs, same_algorithm, signature = der.children(_made(element, (), EditOp.FORGE_EXPONENT_3))
    assert (same_tbs, same_algorithm, len(der.contents(signature))) == (tbs, algorithm, 257)
    root = int.from_bytes(der.contents(signature)[1:], "big")
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(tbs).digest()
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + digest_info
    assert (root**3).to_bytes(256, "big").startswith(start)
    largest = int.from_bytes(start + b"\xff" * (256 - len(start)), "big")
    assert root**3 <= largest < (root + 1) ** 3


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("op", [EditOp.INDEFINITE_LENGTH, EditOp.PAD_LENGTH])
def test_openssl_reads_ber_encodings(op: EditOp) -> None:
    data = der.sequence(der.sequence(der.integer(5)), der.octet_string(b"abc"))
    for path in ((), (0,)):
        changed = _made(data, path, op)
        command = ["openssl", "asn1parse", "-inform", "DER"]
        output = subprocess.run(command, input=changed, capture_output=True, check=True).stdout.decode()
        assert output.count("INTEGER           :05") == 1
        assert ("inf" in output) is (op is EditOp.INDEFINITE_LENGTH)


def test_a_path_to_a_missing_element_is_an_error() -> None:
    with pytest.raises(IndexError):
        _made(der.sequence(der.null()), (1,), EditOp.REMOVE)
