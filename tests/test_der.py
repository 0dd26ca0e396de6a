"""DER: what the writer writes is what cryptography and the standard's examples have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import decode_der, encode_der
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der, oids


@given(st.integers(min_value=-(2**70), max_value=2**70))
def test_integers_have_the_fewest_bytes(value: int) -> None:
    octets = der.contents(der.integer(value))
    assert int.from_bytes(octets, "big", signed=True) == value
    if len(octets) > 1:
        assert octets[0] not in (0x00, 0xFF) or (octets[0] ^ octets[1]) & 0x80


@given(st.integers(min_value=0, max_value=2**60))
def test_integers_are_those_of_cryptography(value: int) -> None:
    assert der.integer(value) == encode_der(value)
    assert decode_der(int, der.integer(value)) == value


@pytest.mark.parametrize(
    ("dotted", "octets"),
    [
        ("2.5.29.15", "0603551d0f"),
        ("1.2.840.113549.1.1.11", "06092a864886f70d01010b"),
        ("2.999.3", "0603883703"),
        ("0.9.2342.19200300.100.1.25", "060a0992268993f22c640119"),
    ],
)
def test_object_identifiers_are_written_and_read(dotted: str, octets: str) -> None:
    assert der.oid(dotted).hex() == octets
    assert der.dotted(bytes.fromhex(octets)) == dotted


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_are_in_their_shortest_form(size: int) -> None:
    data = der.octet_string(bytes(size))
    assert data == encode_der(bytes(size))
    assert der.contents(data) == bytes(size)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_children_of_a_sequence_round_trip(parts: list[bytes]) -> None:
    wrapped = [der.octet_string(part) for part in parts]
    assert der.children(der.sequence(*wrapped)) == wrapped


@given(st.binary(max_size=40))
def test_reading_garbage_raises_value_error_or_returns_a_tlv_inside_the_data(data: bytes) -> None:
    try:
        _, start, end = der.read(data)
    except ValueError:
        return
    assert 2 <= start <= end <= len(data)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(1950, 1, 1, tzinfo=UTC), b"\x17\x0d500101000000Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1949, 12, 31, tzinfo=UTC), b"\x18\x0f19491231000000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x18\x0f99991231235959Z"),
    ],
)
def test_times_change_their_type_in_1950_and_2050(instant: datetime, expected: bytes) -> None:
    assert der.time(instant) == expected


@pytest.mark.parametrize(
    "value", [-32769, -32768, -256, -129, -128, -127, -1, 0, 1, 127, 128, 255, 256, 32767, 32768]
)
def test_integers_at_the_limits_of_a_byte_are_those_of_cryptography(value: int) -> None:
    assert der.integer(value) == encode_der(value)


def test_short_values_have_the_encoding_of_the_standard() -> None:
    encodings = {
        der.boolean(True): "0101ff",
        der.boolean(False): "010100",
        der.null(): "0500",
        der.sequence(): "3000",
        der.explicit(0, der.null()): "a0020500",
        der.explicit(3, der.null(), der.null()): "a30405000500",
        der.bit_string(b"\x0a"): "0302000a",
        der.bit_string(b"\x80", 7): "03020780",
        der.string(der.UTF8_STRING, "ü"): "0c02c3bc",
        der.string(der.IA5_STRING, "a@b"): "1603614062",
        der.string(der.TELETEX_STRING, "ü"): "1401fc",
        der.string(der.UNIVERSAL_STRING, "a"): "1c0400000061",
    }
    assert [encoded.hex() for encoded in encodings] == list(encodings.values())


@pytest.mark.parametrize("combination", range(0, 512, 7))
def test_named_bits_are_those_of_cryptography(combination: int) -> None:
    usages = [name for number, name in enumerate(oids.KEY_USAGES) if combination >> number & 1]
    if not {"keyAgreement"} <= set(usages):
        usages = [name for name in usages if name not in ("encipherOnly", "decipherOnly")]
    flags = [name in usages for name in oids.KEY_USAGES]
    assert der.named_bits([*usages, *usages], oids.KEY_USAGES) == x509.KeyUsage(*flags).public_bytes()


def test_the_last_of_nine_named_bits_is_in_the_second_byte() -> None:
    assert der.named_bits(["decipherOnly"], oids.KEY_USAGES).hex() == "0303070080"
    assert der.named_bits(["encipherOnly"], oids.KEY_USAGES).hex() == "03020001"


@pytest.mark.parametrize(
    "dotted", ["0.0", "0.39", "1.0", "1.39", "2.0", "2.39", "2.40", "2.48.128", "1.2.16383.16384"]
)
def test_object_identifiers_are_those_of_cryptography(dotted: str) -> None:
    extension = x509.ExtendedKeyUsage([x509.ObjectIdentifier(dotted)])
    (encoded,) = der.children(extension.public_bytes())
    assert (der.oid(dotted), der.dotted(encoded)) == (encoded, dotted)


@pytest.mark.parametrize(("size", "is_read"), [(1024, True), (1025, False)])
def test_an_object_identifier_has_at_most_1024_bytes(size: int, is_read: bool) -> None:
    encoded = der.tlv(der.OID, b"\x81" * (size - 1) + b"\x01")
    if is_read:
        assert der.dotted(encoded).count(".") == 1
        return
    with pytest.raises(ValueError, match="1025 bytes"):
        der.dotted(encoded)


@pytest.mark.parametrize("contents", [b"", b"\x81"])
def test_an_object_identifier_without_an_arc_is_rejected(contents: bytes) -> None:
    with pytest.raises(ValueError, match="an incomplete object identifier"):
        der.dotted(der.tlv(der.OID, contents))


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    instant = datetime(2026, 1, 1, 1, 30, 59, tzinfo=timezone(timedelta(hours=2)))
    assert der.time(instant) == b"\x17\x0d251231233059Z"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no TLV at offset 0"),
        (b"\x05", "no TLV at offset 0"),
        (b"\x1f\x01\x00", "a tag of several bytes"),
        (b"\x30\x80\x00\x00", "no definite length"),
        (b"\x04\x01", "runs past the end"),
        (b"\x04\x82\x01\x00", "runs past the end"),
    ],
)
def test_an_unreadable_tlv_is_rejected_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        der.read(data)


def test_a_tlv_is_read_at_an_offset() -> None:
    data = b"\xff\x04\x01a\x05\x00" + der.octet_string(bytes(300))
    assert der.read(data, 1) == (0x04, 3, 4)
    assert der.read(data, 4) == (0x05, 6, 6)
    assert der.read(data, 6) == (0x04, 10, 310)
    assert der.contents(b"\x04\x01a\xff") == b"a"


def test_children_and_contents_have_short_and_long_lengths() -> None:
    parts = [der.octet_string(bytes(size)) for size in (300, 200, 128, 127, 126, 1, 0, 129)]
    assert der.children(der.sequence(*parts)) == parts
    assert der.children(der.sequence(*reversed(parts))) == parts[::-1]
    assert [len(der.contents(part)) for part in parts] == [300, 200, 128, 127, 126, 1, 0, 129]


@pytest.mark.parametrize("element", [b"\x1f\x01\x00", b"\xbf\x00", b"\x3f\x01\x05"])
def test_a_tag_of_several_bytes_is_rejected_in_children_and_contents(element: bytes) -> None:
    with pytest.raises(ValueError, match="a tag of several bytes"):
        der.children(der.sequence(element))
    with pytest.raises(ValueError, match="a tag of several bytes"):
        der.contents(element)


def test_a_child_that_exceeds_its_parent_is_rejected() -> None:
    with pytest.raises(ValueError, match="offset 2 runs past the one around it"):
        der.children(b"\x30\x02\x04\x01a")


def test_an_edit_reaches_into_bit_strings_and_adjusts_lengths() -> None:
    inner = der.sequence(der.integer(1), der.integer(2))
    data = der.sequence(der.null(), der.bit_string(inner, 3), der.octet_string(inner))
    long = der.octet_string(bytes(200))
    edited = der.edit(data, (1, 0, 1), lambda _: long)
    changed = der.sequence(der.integer(1), long)
    assert edited == der.sequence(der.null(), der.bit_string(changed, 3), der.octet_string(inner))
    assert der.edit(data, (), lambda element: element[:1]) == b"\x30"


def test_sets_are_sorted_and_strings_keep_their_type() -> None:
    low, high = der.string(der.PRINTABLE_STRING, "a"), der.string(der.PRINTABLE_STRING, "b")
    assert der.set_of(high, low) == der.set_of(low, high) == b"\x31\x06" + low + high
    assert der.string(der.BMP_STRING, "aü") == b"\x1e\x04\x00a\x00\xfc"
    with pytest.raises(UnicodeEncodeError):
        der.string(der.PRINTABLE_STRING, "ü")
