"""Faulty CRLs: when they are published again, which key signs them, combinations with other faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen import preview
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.faults import FAULTS
from tests.environment.profiles import build_it, crls, files, manifest
from tests.faults.conftest import PROFILE
from tests.tools import run

_START = datetime(2026, 3, 1, tzinfo=UTC)
_REPEATING = (".crt", ".key", ".crl")
_OUT_OF_FORCE = {"crl-stale", "crl-expired", "crl-next-before-this", "crl-not-yet-valid"}


def _document(*faults: Any, key: str = "ec-p256", **certificate: Any) -> dict[str, Any]:
    """The catalog's profile with cases of some faults; the CAs have keys of one kind."""
    sensor = {**PROFILE["certificates"]["sensor"], **certificate}
    authorities = {name: {**record, "key": key} for name, record in PROFILE["authorities"].items()}
    negatives = [{"of": "sensor", "faults": list(faults)}] if faults else []
    document = {**PROFILE, "authorities": authorities, "certificates": {"sensor": sensor}}
    return {**document, "negatives": negatives}


def _own(fault: str) -> str:
    return f"issuing.sensor.{fault}"


def _crl(folder: Path, fault: str) -> str:
    path = folder / "www" / "crl" / f"{_own(fault)}.crl"
    return run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-in", path)


def test_an_unchanged_crl_is_not_published_again(tmp_path: Path) -> None:
    first = build_it(_document("crl/*"), tmp_path, at=_START)
    before = files(first.folder)
    assert preview(_document("crl/*"), tmp_path, BuildOptions(at=_START)).crls == []
    again = build_it(_document("crl/*"), tmp_path, at=_START + timedelta(seconds=1))
    assert crls(again) == set()
    assert files(first.folder) == before


def test_the_same_seed_gives_the_same_crls(tmp_path: Path) -> None:
    ours, theirs = (
        files(build_it(_document("crl/*"), tmp_path / name, seed="x").folder) for name in ("a", "b")
    )
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if name.endswith(_REPEATING) and ours[name] != theirs[name]] == []


def test_crls_with_a_time_fault_keep_it_and_others_are_refreshed(tmp_path: Path) -> None:
    faults = sorted((*_OUT_OF_FORCE, "crl-bad-signature", "crl-missing-next-update"))
    build_it(_document(*faults), tmp_path, at=_START)
    later = build_it(_document(*faults), tmp_path, at=_START + timedelta(days=30))
    renewed = {name for name in crls(later) if "." in name}
    assert renewed == {_own("crl-bad-signature"), _own("crl-missing-next-update")}


def test_a_future_crl_is_republished_before_it_becomes_valid(tmp_path: Path) -> None:
    document = _document({"crl-not-yet-valid": {"by": "10d"}})
    build_it(document, tmp_path, at=_START)
    assert crls(build_it(document, tmp_path, at=_START + timedelta(days=1))) == set()
    later = build_it(document, tmp_path, at=_START + timedelta(days=11))
    assert _own("crl-not-yet-valid") in crls(later)
    assert "Last Update: Mar 22 " in _crl(later.folder, "crl-not-yet-valid")


def test_a_stale_crl_is_republished_for_an_earlier_clock(tmp_path: Path) -> None:
    document = _document("crl-stale")
    build_it(document, tmp_path, at=_START)
    earlier = build_it(document, tmp_path, at=_START - timedelta(days=2))
    assert _own("crl-stale") in crls(earlier)
    assert "Next Update: Feb 26 " in _crl(earlier.folder, "crl-stale")


def test_an_altered_crl_gets_its_fault_again(tmp_path: Path) -> None:
    folder = build_it(_document("crl-truncated", "crl-missing"), tmp_path).folder
    path = folder / "www" / "crl" / f"{_own('crl-truncated')}.crl"
    size = len(path.read_bytes())
    path.write_bytes(b"whole")
    assert crls(build_it(_document("crl-truncated", "crl-missing"), tmp_path)) == {_own("crl-truncated")}
    assert abs(len(path.read_bytes()) - size) < 4


def test_each_crl_has_a_lower_number_than_the_one_before(tmp_path: Path) -> None:
    numbers = []
    for days in (0, 30):
        result = build_it(_document("crl-number-goes-back"), tmp_path, at=_START + timedelta(days=days))
        name = _own("crl-number-goes-back")
        former = result.folder / "authorities" / name / f"{name}.former.crl"
        for path in (former, former.with_name(f"{name}.crl")):
            lines = run("openssl", "crl", "-noout", "-crlnumber", "-lastupdate", "-in", path).splitlines()
            numbers.append((int(lines[0].removeprefix("crlNumber=0x"), 16), lines[1]))
    assert [number for number, _ in numbers] == [1_000_000, 999_999, 999_999, 999_998]
    assert [date.split("=")[1][:6] for _, date in numbers] == ["Feb 28", "Mar  1", "Mar 30", "Mar 31"]


@pytest.mark.parametrize(
    ("kind", "fault", "algorithm"),
    [
        ("ed25519", "crl-sha1", "ecdsa-with-SHA1"),
        ("rsa-2048", "crl-sha1", "sha1WithRSAEncryption"),
        ("ed25519", "crl-md5", "md5WithRSAEncryption"),
        ("ed25519", "crl-algorithm-mismatch-invalid", "ecdsa-with-SHA256"),
        ("ed25519", "crl-wrong-signer", "ED25519"),
    ],
)
@pytest.mark.needs("openssl")
def test_a_fault_is_built_with_keys_of_any_kind(
    kind: str, fault: str, algorithm: str, tmp_path: Path
) -> None:
    result = build_it(_document(fault, key=kind), tmp_path)
    assert f"Signature Algorithm: {algorithm}\n" in _crl(result.folder, fault)
    sound = next(one for one in manifest(result.folder)["authorities"] if one["name"] == "issuing")
    assert sound["key"]["kind"] == kind


def _made_wrong(tmp_path: Path, faults: list[str]) -> str:
    """The CRL of a certificate with several faults, as openssl reads it."""
    folder = build_it(_document(faults=faults), tmp_path).folder
    issuer = manifest(folder)["cases"][0]["path"][0]
    path = folder / "www" / "crl" / f"{issuer}.crl"
    return run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-in", path)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("turned", [False, True])
def test_several_faults_of_one_crl_are_all_present(turned: bool, tmp_path: Path) -> None:
    faults = ["crl-stale", "crl-v1-with-exts", "crl-missing-number", "crl-unknown-critical", "revoked"]
    text = _made_wrong(tmp_path, faults[::-1] if turned else faults)
    assert "Version 1 " in text
    assert "CRL Number" not in text
    assert "1.3.6.1.4.1.55738.99.5: critical" in text
    assert "Key Compromise" in text


@pytest.mark.parametrize(
    "faults",
    [
        ["crl-stale", "crl-not-yet-valid"],
        ["crl-missing-number", "crl-number-negative"],
        ["crl-truncated", "crl-v3"],
        ["crl-pem", "crl-missing"],
    ],
)
def test_faults_that_hide_each_other_are_not_combined(faults: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="change the same part"):
        build_it(_document(faults=faults), tmp_path)


def test_a_certificate_without_a_crl_url_has_no_server_fault(
    tmp_path: Path,
) -> None:
    passed = {one.id for one in FAULTS.values() if one.family == "crl" and one.stage == "transport"}
    document = _document("crl/*", crl_distribution_points=["http://elsewhere.test/x.crl"])
    result = build_it(document, tmp_path)
    words = "was skipped: the certificate does not say where the CRL of its issuer is"
    assert {f"sensor.{one} {words}" for one in passed} <= set(result.summary.notes)


def test_a_self_signed_certificate_has_no_crl_fault(tmp_path: Path) -> None:
    document = _document("crl/*")
    document["certificates"]["sensor"]["issuer"] = "self"
    result = build_it(document, tmp_path)
    ours = [one for one in FAULTS.values() if one.family == "crl"]
    assert len([note for note in result.summary.notes if "was skipped" in note]) == len(ours)
