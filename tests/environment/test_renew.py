"""Renewal: a new certificate for the existing key, from the profile of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.renew import renew
from pkigen.errors import InputError
from pkigen.profile import load
from tests.environment.profiles import build_it, changes, files, reasons, small

_PROFILE = """
name: small
defaults: {key: ec-p256}
authorities: {root: {}, issuing: {issuer: root}}
certificates: {console: {issuer: issuing}, sensor: {issuer: issuing}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(_PROFILE)
    return build(load(tmp_path / "small.yaml"), tmp_path / "out", BuildOptions()).folder


def test_a_renewed_certificate_keeps_its_key(folder: Path) -> None:
    before = files(folder)
    result = renew(folder, ["console"])
    assert changes(result) == {"console": "reissue"}
    assert reasons(result, "console") == "its renewal was requested"
    after = files(folder)
    changed = {name for name in after if before[name] != after[name]}
    assert changed == {"certificates/console/console.crt", "manifest.json"}


def test_renewing_an_authority_reissues_the_certificates_below_it(folder: Path) -> None:
    assert changes(renew(folder, ["authorities/issuing"])) == dict.fromkeys(
        ["issuing", "console", "sensor"], "reissue"
    )


def test_renewing_works_from_inside_the_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert changes(renew(Path(), ["sensor"])) == {"sensor": "reissue"}


def test_an_unknown_name_is_reported_with_a_similar_one(folder: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'console'"):
        renew(folder, ["consol"])


def test_an_entity_that_left_the_profile_cannot_be_renewed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(_PROFILE.replace("sensor:", "gauge:"))
    with pytest.raises(InputError, match="cannot renew certificates/sensor: no longer in the profile"):
        renew(folder, ["sensor"])
    assert not (folder / "certificates/gauge").exists()


def test_a_profile_without_a_file_is_recorded(tmp_path: Path) -> None:
    built = build_it(small(), tmp_path / "other").folder
    assert changes(renew(built, ["console"])) == {"console": "reissue"}


def test_a_base_url_that_replaced_the_one_of_the_file_stays(tmp_path: Path, folder: Path) -> None:
    other = load(tmp_path / "small.yaml", base_url="http://127.0.0.1:9999")
    build(other, folder.parent, BuildOptions(force=True))
    assert changes(renew(folder, ["console"])) == {"console": "reissue"}
    assert b"http://127.0.0.1:9999" in (folder / "manifest.json").read_bytes()


def test_nothing_is_renewed_without_the_profile(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").unlink()
    with pytest.raises(InputError, match=r"small.yaml no longer exists. Build it again"):
        renew(folder, ["console"])
    with pytest.raises(InputError, match="not a built environment"):
        renew(tmp_path, ["console"])
