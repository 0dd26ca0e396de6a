"""Check of a built environment as a whole: intact files pass, and damaged files are reported."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pkigen
from pkigen.environment.revoke import revoke
from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, check_environment
from pkigen.requirements import load_set
from tests.environment.profiles import build_it
from tests.requirements.environments import Built


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    """A copy of the environment to be damaged."""
    return Path(shutil.copytree(built.folder, tmp_path / "negative"))


def _check(built: Built, folder: Path) -> dict[str, bool]:
    checked = check_environment(folder, [load_set("defender-iot")], CheckOptions(now=built.clock))
    return {one.name: one.as_expected for one in checked}


def test_all_end_entities_are_checked_in_the_order_of_the_manifest(built: Built) -> None:
    assert [one.name for one in built.checked] == [case["name"] for case in built.manifest["cases"]]
    assert all(one.as_expected for one in built.checked)


def test_a_case_without_its_violation_is_reported(built: Built, folder: Path) -> None:
    name = "sensor-01.certificate-encoding-pkcs7"
    sound = folder / "certificates/sensor-01/sensor-01.crt"
    shutil.copy(sound, folder / f"certificates/{name}/{name}.crt")
    results = _check(built, folder)
    assert [name for name, good in results.items() if not good] == [name]


def test_a_replaced_certificate_is_reported(built: Built, folder: Path) -> None:
    other = folder / "certificates/sensor-02"
    shutil.copy(other / "sensor-02.crt", folder / "certificates/sensor-01/sensor-01.crt")
    results = _check(built, folder)
    assert results["sensor-01"] is False
    assert results["sensor-02"] is False  # its common name is another's now


def test_a_truncated_certificate_is_unreadable(built: Built, folder: Path) -> None:
    path = folder / "certificates/sensor-02/sensor-02.crt"
    path.write_bytes(path.read_bytes()[:200])
    (one,) = (
        one
        for one in check_environment(folder, [load_set("defender-iot")], CheckOptions(now=built.clock))
        if one.name == "sensor-02"
    )
    assert (one.as_expected, one.verdicts[0].accepted, len(one.unread)) == (False, False, 1)


@pytest.mark.parametrize(
    "path",
    [
        "certificates/sensor-02/sensor-02.crt",
        "certificates/sensor-02/sensor-02.key",
        "certificates/sensor-02/chain.pem",
        "www/crl/issuing.crl",
    ],
)
def test_a_missing_file_is_reported_with_its_path(path: str, built: Built, folder: Path) -> None:
    (folder / path).unlink()
    with pytest.raises(InputError, match="cannot be read: No such file") as caught:
        _check(built, folder)
    assert path in str(caught.value)


def test_a_directory_without_an_environment_is_reported(built: Built, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        _check(built, tmp_path)


def test_long_after_the_build_every_certificate_has_expired(built: Built) -> None:
    later = built.clock.replace(year=built.clock.year + 3)
    checked = check_environment(built.folder, [load_set("defender-iot")], CheckOptions(now=later))
    sound = next(one for one in checked if one.name == "sensor-02")
    assert {one.requirement.id for one in sound.broken} == {"not-after-future", "crl-reachable"}


def test_cases_of_the_catalog_violate_their_recorded_requirements(tmp_path: Path) -> None:
    document = {
        "name": "catalogue",
        "requirements": ["defender-iot"],
        "defaults": {
            "subject": {"C": "US", "ST": "WA", "L": "Redmond", "O": "Contoso", "OU": "Labs"},
        },
        "authorities": {"root": {"subject": {"CN": "Root"}}, "issuing": {"issuer": "root"}},
        "certificates": {
            "sensor": {
                "issuer": "issuing",
                "subject": {"CN": "sensor.contoso.test"},
                "formats": ["fullchain"],
            },
        },
        "negatives": [
            {
                "of": "sensor",
                "faults": ["expired", "sig-md5", "crl-expired", "pem-crlf", "expires-at-the-second"],
            }
        ],
    }
    environment, options = pkigen.build(document, tmp_path), CheckOptions(now=datetime.now(UTC))
    results = {one.name: one for one in check_environment(environment.folder, None, options)}
    assert "sensor.expires-at-the-second" not in results
    assert {name: one.as_expected for name, one in results.items()} == dict.fromkeys(results, True)
    shutil.copy(
        environment.folder / "certificates/sensor/sensor.crt",
        environment.folder / "certificates/sensor.expired/sensor.expired.crt",
    )
    results = {one.name: one for one in check_environment(environment.folder, None, options)}
    assert not results["sensor.expired"].as_expected


def test_every_published_crl_is_used(tmp_path: Path) -> None:
    issuers: dict[str, object] = {
        "listed": {"issuer": "lister"},
        "delta": {"delta": "1d"},
        "parts": {"partitions": 2},
        "reasons": {"reasons": ["keyCompromise"]},
    }
    folder = build_it(
        {
            "name": "published",
            "defaults": {"key": "ec-p256"},
            "authorities": {
                "root": {"subject": {"CN": "Root"}},
                "lister": {"issuer": "root", "subject": {"CN": "Lister"}},
                **{n: {"issuer": "root", "subject": {"CN": n}, "crl": crl} for n, crl in issuers.items()},
            },
            "certificates": {n: {"issuer": n, "subject": {"CN": f"{n}.test"}} for n in issuers},
        },
        tmp_path,
    ).folder
    sets = [load_set("rfc5280")]
    assert all(not result.broken for result in check_environment(folder, sets, CheckOptions()))
    revoke(folder, list(issuers), reason="keyCompromise")
    for result in check_environment(folder, sets, CheckOptions()):
        assert [finding.requirement.id for finding in result.broken] == ["not-revoked"]
        assert (result.as_expected, result.revoked) == (True, True)
