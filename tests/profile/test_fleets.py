"""The section ``fleets`` of a profile: its errors with their places, and what it inherits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.plan import plan
from pkigen.profile import Profile, load
from pkigen.profile.fleets import MOST_FLEETS

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
        ("{count: 1, issuer: self}", "5:29", "a CA must issue the certificates of a fleet"),
        ("{count: 2, issuer: self}", "5:29", ".issuer: a CA must issue the certificates of a fleet"),
        ("{count: 2, issuer: root, key: {file: k}}", "5:35", "k cannot be read"),
        ("{count: 2, issuer: 'r{{ index }}'}", "5:29", "this is the same for a whole fleet"),
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


def test_problems_before_those_of_a_fleet_are_reported_too(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(
        f"base_url: ftp://x\n{_HEAD}  meter: {{count: 2, issuer: root, subject: {{CN: '{{{{ x }}}}'}}}}\n"
    )
    with pytest.raises(InputError) as raised:
        load(path)
    assert [problem.where for problem in raised.value.problems] == ["base_url", "fleets.meter.subject.CN"]


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


@pytest.mark.parametrize(
    ("count", "numbers"),
    [
        (1, ["1"]),
        (3, ["1", "2", "3"]),
        (
            40,
            [
                "01",
                "03",
                "05",
                "07",
                "09",
                "11",
                "13",
                "15",
                "17",
                "19",
                "21",
                "23",
                "25",
                "27",
                "29",
                "31",
                "33",
                "35",
                "37",
                "40",
            ],
        ),
    ],
)
def test_a_sample_of_a_fleet_has_the_first_the_last_and_some_between(
    tmp_path: Path, count: int, numbers: list[str]
) -> None:
    (fleet,) = _load(tmp_path, f"  meter: {{count: {count}, like: sensor-01}}\n").fleets
    assert [fleet.index_of(f"meter-{n}") for n in numbers] == list(fleet.sample())
    assert [fleet.instance(index).name for index in fleet.sample()] == [f"meter-{n}" for n in numbers]


@pytest.mark.parametrize(
    ("key", "kind", "pool"),
    [
        ("rsa-2048", "rsa-2048", None),
        ("{pool: 5}", "ec-p256", 5),
        ("{pool: 5, kind: ed25519}", "ed25519", 5),
    ],
)
def test_a_fleet_has_a_kind_of_key_or_a_pool_of_keys(
    tmp_path: Path, key: str, kind: str, pool: int | None
) -> None:
    (fleet,) = _load(tmp_path, f"  meter: {{count: 2, like: sensor-01, key: {key}}}\n").fleets
    assert fleet.specification(1).key == kind
    assert (fleet.settings.key.pool if fleet.settings.key else None) == pool


def test_the_number_of_fleets_is_limited(tmp_path: Path) -> None:
    text = "".join(f"  f{number}: {{count: 1, issuer: root}}\n" for number in range(MOST_FLEETS))
    assert len(_load(tmp_path, text).fleets) == MOST_FLEETS
    with pytest.raises(InputError, match=rf"profile.yaml:4:1: fleets: more than {MOST_FLEETS} fleets"):
        _load(tmp_path, f"{text}  more: {{count: 1, issuer: root}}\n")
