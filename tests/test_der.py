"""DER: what the writer writes is what cryptography and the standard's examples have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.asn1 import decode_der, encode_der
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der


@given(st.integers(min_value=-(2**70), max_value=2**70))
def test_integers_are_of_the_fewest_octets(value: int) -> None:
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
def test_children_of_a_sequence_are_what_was_put_in(parts: list[bytes]) -> None:
    wrapped = [der.octet_string(part) for part in parts]
    assert der.children(der.sequence(*wrapped)) == wrapped


@given(st.binary(max_size=40))
def test_reading_junk_gives_a_value_error_or_a_tlv_inside_the_data(data: bytes) -> None:
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


def test_sets_are_sorted_and_strings_keep_their_type() -> None:
    low, high = der.string(der.PRINTABLE_STRING, "a"), der.string(der.PRINTABLE_STRING, "b")
    assert der.set_of(high, low) == der.set_of(low, high)
    assert der.string(der.BMP_STRING, "aü") == b"\x1e\x04\x00a\x00\xfc"
    with pytest.raises(UnicodeEncodeError):
        der.string(der.PRINTABLE_STRING, "ü")
