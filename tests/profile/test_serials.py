"""Serial numbers in a profile: how they are written, and that an issuer uses each of them once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile.documents import refused_certificate, refused_certificates, the_certificate


@pytest.mark.parametrize(
    ("written", "number"),
    [("1", 1), ("-1", -1), ("0x01", 1), ("0X0a:1b", 0x0A1B), (str(2**159 - 1), 2**159 - 1)],
)
def test_a_serial_number_is_decimal_or_hexadecimal(tmp_path: Path, written: str, number: int) -> None:
    assert the_certificate(tmp_path, f"serial: '{written}'").serial == number


@pytest.mark.parametrize("written", ["0", "1_0", "0x", "1a", str(2**159)])
def test_a_number_of_the_wrong_size_is_no_serial_number(tmp_path: Path, written: str) -> None:
    errors = refused_certificate(tmp_path, f"serial: '{written}'")
    assert f"certificates.one.serial: '{written}' is not a serial number" in errors


def test_a_serial_number_is_used_once_by_an_issuer(tmp_path: Path) -> None:
    text = "a: {issuer: root, serial: 1}\nb: {issuer: root, serial: 0x01}\nc: {issuer: self, serial: 1}\n"
    assert refused_certificates(tmp_path, text) == (
        "test.yaml:7:29: certificates.b.serial: 'a' has the serial number 1 of the same issuer"
    )
