"""Lengths of time and validity periods in a profile: what they cannot be, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.profile.documents import FIRST, refused_certificate, the_certificate


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("valid: 0d", "valid: '0d' is not a length of time: it must be more than nothing"),
        ("valid: -1d", "valid: '-1d' is not a length of time: it must be more than nothing"),
        ("renew: 0y", "renew: '0y' is not a length of time: it must be more than nothing"),
        ("renew: -1y", "renew: '-1y' is not a length of time: it must be more than nothing"),
        (
            "valid: {to: +1d, for: 1d}",
            "valid: a validity needs either its end (to) or its duration (for)",
        ),
        ("valid: {from: -1d}", "valid: a validity needs either its end (to) or its duration (for)"),
        ("valid: never", "valid: write {to: never} for a certificate without a well-defined end"),
        ("valid: {from: 2027-01-02, to: 2027-01-01}", "valid: the validity ends before it begins"),
    ],
)
def test_an_impossible_length_of_time_is_an_error_with_its_reason(
    tmp_path: Path, field: str, message: str
) -> None:
    errors = refused_certificate(tmp_path, field)
    assert errors.startswith(f"test.yaml:{FIRST}:"), errors
    assert f": certificates.one.{message}" in errors


def test_a_certificate_can_be_valid_for_one_second(tmp_path: Path) -> None:
    valid = the_certificate(tmp_path, "valid: {from: 2027-01-01, to: 2027-01-01}").valid
    not_before, not_after = valid.resolve(datetime(2026, 11, 23, tzinfo=UTC))
    assert not_before == not_after == datetime(2027, 1, 1, tzinfo=UTC)
