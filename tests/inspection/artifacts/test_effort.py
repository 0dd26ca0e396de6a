"""The effort of reading large files: linear in their size, and limits that the message states."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from pkigen.asn1 import ber, der
from pkigen.formats import pem
from pkigen.inspection.artifacts import Kind, read
from pkigen.inspection.artifacts.read import MAX_ARTIFACTS, MAX_KEYS
from tests.effort import calls
from tests.tools import ROOT

ROOT_CERTIFICATE = pem.certificate((ROOT / "fuzz/seeds/root.der").read_bytes())
SSH_KEY = (ROOT / "fuzz/seeds/ssh.key").read_bytes()
SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (ROOT_CERTIFICATE[:60] * (MAX_ARTIFACTS + 1), f"more than {MAX_ARTIFACTS:,} objects"),
        (SSH_KEY * (MAX_KEYS + 1), f"more than {MAX_KEYS:,} private keys"),
    ],
)
def test_a_file_with_too_many_objects_is_rejected_with_the_limit(data: bytes, limit: str) -> None:
    (one,) = read(data, "many.pem")
    assert one.kind is Kind.UNKNOWN
    assert limit in one.problem


def test_as_many_keys_as_the_limit_are_read_with_their_positions() -> None:
    artifacts = read(SSH_KEY * MAX_KEYS, "many.pem")
    assert [one.source.position for one in artifacts] == list(range(1, MAX_KEYS + 1))


def test_the_effort_of_reading_pem_is_linear_in_the_number_of_certificates() -> None:
    few, many = (calls(lambda: read(ROOT_CERTIFICATE * count, "many.pem")) for count in (100, 300))  # noqa: B023
    assert (many - few) / 200 < 130


@pytest.mark.parametrize("depth", [31, 40])
def test_nesting_beyond_32_levels_is_rejected_with_the_limit(depth: int) -> None:
    data = b"\x30\x80" * (depth - 1) + b"\x04\x01x" + b"\0\0" * (depth - 1)
    (one,) = read(b"\x30\x80" + SIGNED_DATA + data + b"\0\0", "deep.p7b")
    assert ("deeper than 32 levels" in one.problem) is (depth > 32)


def test_the_public_seed_has_no_problem(tmp_path: Path) -> None:
    assert [one.problem for one in read(ROOT_CERTIFICATE, "root.crt")] == [""]


def test_an_octet_string_in_many_pieces_takes_memory_of_a_few_times_its_size() -> None:
    pieces = (b"\x04\x0e" + bytes(14)) * 20_000
    data = b"\x24\x80" + pieces + b"\0\0"
    tracemalloc.start()
    try:
        assert ber.definite(data) == der.octet_string(bytes(14) * 20_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(data)
    finally:
        tracemalloc.stop()
