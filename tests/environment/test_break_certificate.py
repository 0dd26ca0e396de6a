"""Faulty copies that commands add to an environment: later builds keep them until they are removed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pkigen import build
from pkigen.cli import main
from pkigen.environment.break_certificate import break_certificate
from pkigen.environment.environment import open_environment
from pkigen.environment.renew import renew
from pkigen.errors import InputError

PROFILE = """
name: lab
authorities: {root: {key: ec-p256}, issuing: {issuer: root, key: ec-p256}}
certificates:
  sensor: {issuer: issuing, key: ec-p256, subject: {CN: sensor.contoso.test}}
  old: {like: sensor, subject: {CN: old.contoso.test}, faults: [expired]}
  lone: {issuer: self, key: ec-p256, subject: {CN: lone.contoso.test}}
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


@pytest.fixture
def folder(profile: Path, tmp_path: Path) -> Path:
    return build(profile, tmp_path / "out").folder


def _names(folder: Path) -> set[str]:
    return {case.name for case in open_environment(folder).cases()}


def test_a_faulty_copy_does_not_change_the_original_certificate(folder: Path) -> None:
    sound = (folder / "certificates/sensor/sensor.crt").read_bytes()
    break_certificate(folder, "sensor", ["expired-intermediate", "san-missing"])
    assert _names(folder) >= {"sensor", "sensor.expired-intermediate", "sensor.san-missing"}
    assert (folder / "certificates/sensor/sensor.crt").read_bytes() == sound


@pytest.mark.needs("openssl")
def test_a_parameter_reaches_the_certificate(folder: Path) -> None:
    break_certificate(folder, "sensor", [{"expired": {"by": "30d"}}])
    certificate = folder / "certificates/sensor.expired/sensor.expired.crt"
    ended = ["openssl", "x509", "-in", str(certificate), "-noout", "-checkend"]
    assert subprocess.run([*ended, str(-29 * 86400)], capture_output=True, check=False).returncode == 1
    assert subprocess.run([*ended, str(-31 * 86400)], capture_output=True, check=False).returncode == 0


def test_later_builds_and_renewals_keep_it_until_it_is_undone(folder: Path, profile: Path) -> None:
    break_certificate(folder, "sensor", ["expired"])
    broken = folder / "certificates/sensor.expired/sensor.expired.crt"
    before = broken.read_bytes()
    build(profile, folder.parent)
    assert broken.read_bytes() == before
    renew(folder, ["sensor.expired"])
    assert broken.read_bytes() != before
    break_certificate(folder, "sensor", ["expired"], undo=True)
    assert "sensor.expired" not in _names(folder)


def test_undoing_a_case_deletes_its_files_and_no_others(folder: Path) -> None:
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    break_certificate(folder, "sensor", ["expired"])
    with_one = {path.relative_to(folder) for path in folder.rglob("*")}
    break_certificate(folder, "sensor", ["expired-intermediate", "san-missing"])
    break_certificate(folder, "sensor", ["expired-intermediate", "san-missing"], undo=True)
    assert {path.relative_to(folder) for path in folder.rglob("*")} == with_one
    break_certificate(folder, "sensor", ["expired"], undo=True)
    assert {path.relative_to(folder) for path in folder.rglob("*")} == before


def test_a_fault_that_is_later_added_to_the_profile_yields_one_case(folder: Path, profile: Path) -> None:
    break_certificate(folder, "sensor", ["expired"])
    profile.write_text(PROFILE + "negatives: [{of: sensor, faults: [expired]}]\n", encoding="utf-8")
    assert "sensor.expired" in {case.name for case in build(profile, folder.parent).cases()}


def test_a_case_is_dropped_when_its_certificate_leaves_the_profile(folder: Path, profile: Path) -> None:
    break_certificate(folder, "sensor", ["expired"])
    profile.write_text(PROFILE.replace("  sensor:", "  probe:").replace("like: sensor", "like: probe"))
    assert "sensor.expired" not in {case.name for case in build(profile, folder.parent).cases()}


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("sensr", "expired", "did you mean 'sensor'"),
        ("issuing", "expired", "is an authority; break a certificate that it issued"),
        ("sensor", "expird", "did you mean 'expired'"),
        ("old", "san-missing", "already has a fault"),
        ("lone", "expired-root", "sensor|too few|self-signed"),
    ],
)
def test_an_inapplicable_fault_is_reported_and_changes_nothing(
    name: str, fault: str, words: str, folder: Path
) -> None:
    before = _names(folder)
    with pytest.raises(InputError, match=words):
        break_certificate(folder, name, [fault])
    build_again = _names(folder)
    assert build_again == before


def test_removing_a_case_that_was_not_added_is_an_error(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"has no case with the fault expired from `pkigen break`; .* edit the profile"
    ):
        break_certificate(folder, "sensor", ["expired"], undo=True)


def test_the_command_takes_parameters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["break", str(folder), "sensor", "--fault"]
    assert main([*command, "expired:by=1s"]) == 0
    assert "issued" in capsys.readouterr().out
    for wrong in ("expired:by", "expired:by=never", "expired:to=1s", "san-missing:by=1s"):
        assert main([*command, wrong]) == 2, wrong
        assert capsys.readouterr().err.count("\n") == 1, wrong


def test_one_case_can_have_several_faults_and_is_undone_by_all_of_their_ids(folder: Path) -> None:
    assert main(["break", str(folder), "sensor", "--fault", "expired+san-wrong-host"]) == 0
    name = "sensor.expired+san-wrong-host"
    case = open_environment(folder)[name]
    assert case.data["fault"]["id"] == "expired+san-wrong-host"
    before = case.certificate.read_bytes()
    break_certificate(folder, "sensor", ["serial-zero"])
    assert open_environment(folder)[name].certificate.read_bytes() == before
    assert main(["break", str(folder), "sensor", "--fault", "expired+san-wrong-host", "--undo"]) == 0
    assert _names(folder) & {name, "sensor.serial-zero"} == {"sensor.serial-zero"}


def test_random_faults_follow_from_the_seed(folder: Path) -> None:
    for _ in range(2):
        assert main(["break", str(folder), "sensor", "--random", "3", "--seed", "7"]) == 0
    (name,) = (name for name in _names(folder) if name.startswith("sensor."))
    assert name.count("+") == 2


def test_no_fault_at_all_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["break", str(folder), "sensor"]) == 2
    assert "--fault" in capsys.readouterr().err
