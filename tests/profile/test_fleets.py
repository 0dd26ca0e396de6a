"""The section ``fleets`` of a profile: its errors with their places, and what it inherits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.plan import plan
from pkigen.profile import Profile, load

_HEAD = """name: lab
authorities: {root: {key: ec-p256}}
certificates: {sensor-01: {issuer: root, key: ec-p256, subject: {CN: "{{ name }}.test"}}}
fleets:
"""


def _load(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "profile.yaml"
    path.write_text(_HEAD + text)
    return load(path)


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("{count: x, issuer: root}", "5:18", "this is a whole number"),
        ("{issuer: root}", "5:10", "this is missing"),
        ("{count: 2, issuer: rot}", "5:29", "no authority is called 'rot'"),
        ("{count: 2, issuer: self}", "5:29", "a CA must issue"),
        ("{count: 2, issuer: root, to: [cvs]}", "5:40", "this must be 'parquet', 'csv'"),
        ("{count: 2, issuer: root, to: [csv, csv]}", "5:35", "'csv' is listed twice"),
        ("{count: 2, issuer: root, formats: [der]}", "5:35", "a fleet cannot have this key"),
        ("{count: 2, issuer: root, key: {pool: 0}}", "5:47", "this must be at least 1"),
        ("{count: 2, issuer: root, revoked: {reason: superseded}}", "5:35", "this is missing"),
        ("{count: 2, issuer: root, revoked: {every: 2, reason: lost}}", "5:63", "no such reason: 'lost'"),
        ("{count: 2, issuer: root, faults: {every: 2, of: [exired]}}", "5:59", "did you mean 'expired'"),
        ("{count: 2, issuer: root, subject: {C: USA}}", "5:48", "allows exactly 2"),
        ("{count: 2, issuer: root, subject: {CN: '{{ nme }}'}}", "5:49", "no such variable: 'nme'"),
        ("{count: 2, issuer: root, size: 3}", "5:41", "unknown key 'size'"),
        ("5", "5:10", "this must be a mapping"),
    ],
)
def test_a_wrong_fleet_is_an_error_at_its_place(tmp_path: Path, body: str, place: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        _load(tmp_path, f"  meter: {body}\n")
    text = str(raised.value)
    assert f"profile.yaml:{place}: fleets.meter" in text
    assert message in text


@pytest.mark.parametrize("fault", ["crl-expired", "key-mismatch", "expired-intermediate", "serial-duplicate"])
def test_a_fault_beyond_the_certificate_is_an_error(tmp_path: Path, fault: str) -> None:
    body = f"{{count: 2, issuer: root, faults: {{every: 1, of: [expired, {fault}]}}}}"
    profile = _load(tmp_path, f"  meter: {body}\n")
    with pytest.raises(InputError, match=r"yaml:5:\d+: fleets.meter.faults.of.1: .*a fleet cannot have it"):
        plan(profile, datetime(2026, 11, 1, tzinfo=UTC), None)


def test_names_do_not_repeat(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fleets.sensor: the certificate 'sensor-01' exists already"):
        _load(tmp_path, "  sensor: {count: 10, issuer: root}\n")


def test_a_fleet_is_like_a_certificate(tmp_path: Path) -> None:
    (fleet,) = _load(tmp_path, "  meter: {count: 1000, like: sensor-01}\n").fleets
    assert fleet.specification(7).subject == (("CN", "meter-0007.test"),)
    assert fleet.specification(1).key == "ec-p256"
    assert [fleet.index_of(name) for name in ("meter-0007", "meter-007", "meter-1001", "sensor-0007")] == [
        7,
        None,
        None,
        None,
    ]
    assert (next(iter(fleet.sample())), len(list(fleet.sample())), list(fleet.sample())[-1]) == (1, 20, 1000)
