"""Faults as they are asked for: with parameters, several at once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.errors import InputError
from pkigen.faults import FAULTS
from tests.faults.conftest import PROFILE


def _with_faults(folder: Path, faults: Any) -> Environment:
    certificates = {"sensor": {**PROFILE["certificates"]["sensor"], "faults": faults}}
    return build({**PROFILE, "negatives": [], "certificates": certificates}, folder)


@pytest.mark.needs("openssl")
def test_two_faults_are_both_present(tmp_path: Path) -> None:
    folder = _with_faults(tmp_path, ["san-missing", {"expired": {"by": "2d"}}]).folder
    certificate = folder / "certificates/sensor/sensor.crt"
    result = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-noout", "-checkend", "0", "-text"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Subject Alternative Name" not in result.stdout


@pytest.mark.needs("openssl")
def test_edits_of_two_faults_do_not_shift_each_other(tmp_path: Path) -> None:
    """One leaves the first element of the structure out, the other changes a later one."""
    for number, order in enumerate(
        (["version-v1-with-exts", "gentime-before-2050"], ["gentime-before-2050", "version-v1-with-exts"])
    ):
        folder = _with_faults(tmp_path / str(number), order).folder
        result = subprocess.run(
            ["openssl", "asn1parse", "-in", str(folder / "certificates/sensor/sensor.crt")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "GENERALIZEDTIME" in result
        assert "cont [ 0 ]" not in result.partition("INTEGER")[0]


@pytest.mark.parametrize(
    "faults",
    [
        ["expired", "not-yet-valid"],
        ["version-v2-with-exts", "version-v4"],
        ["san-missing", "san-wrong-host"],
        ["sig-bitflip", "sig-empty"],
        ["expired", "expired"],
        ["version-v1-leaf", "eku-client-only"],
    ],
)
def test_faults_that_cancel_each_other_are_rejected(faults: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"change the same part|requested twice|no extension"):
        _with_faults(tmp_path, faults)


@pytest.mark.parametrize(
    ("hiding", "hidden"),
    [
        ("crl-missing", "crl-stale"),
        ("crl-empty", "crl-sha1"),
        ("ocsp-revoked", "ocsp-good"),
        ("ocsp-status-try-later", "ocsp-stale"),
        ("ocsp-html", "ocsp-revoked"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_fault_without_an_effect_is_rejected(
    hiding: str, hidden: str, turned: bool, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"'{hiding}' hides '{hidden}'"):
        _with_faults(tmp_path, [hidden, hiding] if turned else [hiding, hidden])


def test_a_place_that_two_faults_change_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"change the same part \(certificate: valid from .* of the build\)"):
        _with_faults(tmp_path, ["expired", "not-yet-valid"])


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("faults", [["expired", "revoked"], ["revoked", "expired"]])
def test_an_expired_certificate_can_be_revoked_as_of_its_end(faults: list[str], tmp_path: Path) -> None:
    environment = _with_faults(tmp_path, faults)
    (case,) = environment.cases()
    assert case.data["revoked"]["at"] == case.data["not_after"] < environment.manifest["clock"]
    crl = environment.folder / "authorities" / "issuing" / "issuing.crl"
    result = subprocess.run(
        ["openssl", "crl", "-in", str(crl), "-noout", "-text"], capture_output=True, text=True, check=True
    ).stdout
    assert case.data["serial"].upper() in result


def test_a_missing_crl_can_be_combined_with_a_revoked_certificate(tmp_path: Path) -> None:
    (case,) = _with_faults(tmp_path, ["revoked", "crl-http-404"]).cases()
    assert case.data["revoked"] is not None
    assert case.data["serving"]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([{"expired": {"by": "0s"}}], "is not a duration between 0"),
        ([{"expired": {"by": "200y"}}], "100 years"),
        ([{"expired": {"on": "1s"}}], "no parameter 'on'.*by"),
        ([{"expired": "1s"}], "must be a mapping"),
        ([{"expird": {"by": "1s"}}], "did you mean 'expired'"),
        ([{"expired": {}, "san-missing": {}}], "one ID with its parameters"),
        (["validity/*"], "specify exactly one"),
        ([["expired"]], "a fault must be an ID"),
        (["EXPIRD"], "did you mean 'expired'"),
        (["validity"], r"did you mean 'validity/\*'"),
        (["Validity/*"], r"did you mean 'validity/\*'"),
        (["expired"] * 9, "8"),
    ],
)
def test_an_invalid_request_for_a_fault_is_reported(faults: list[Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        _with_faults(tmp_path, faults)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(FAULTS)), min_size=2, max_size=3))
def test_any_combination_of_faults_is_built_or_rejected_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str]
) -> None:
    try:
        built = _with_faults(tmp_path_factory.mktemp("composed"), faults)
    except InputError as error:
        refused = str(error)
        assert refused
        return
    made = {case.data["fault"]["id"] for case in built.cases() if "fault" in case.data}
    assert "+".join(faults) in made


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"san-wrong-host": {"host": "other.test"}}, "DNS:other.test\n"),
        ({"san-1000": {"names": "2"}}, "DNS:sensor.contoso.test, DNS:host-0.test, DNS:host-1.test\n"),
    ],
)
def test_texts_and_numbers_are_parameters_too(fault: dict[str, Any], text: str, tmp_path: Path) -> None:
    certificate = _with_faults(tmp_path, [fault]).folder / "certificates/sensor/sensor.crt"
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"]
    assert text in subprocess.run(command, capture_output=True, text=True, check=True).stdout
