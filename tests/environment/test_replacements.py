"""A build that would replace authorities of another profile or a trust anchor needs a confirmation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen import preview
from pkigen.environment.build.build import build
from pkigen.environment.build.options import Action, BuildOptions, BuildResult
from pkigen.environment.renew import renew
from pkigen.environment.revoke import revoke
from pkigen.errors import InputError
from pkigen.profile import load
from tests.environment.profiles import files


def _document() -> dict[str, Any]:
    return {
        "name": "site",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {"subject": {"CN": "Site Root"}}, "issuing": {"issuer": "root"}},
        "certificates": {"console": {"issuer": "issuing"}},
    }


def _path(folder: Path, document: dict[str, Any], name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _build(path: Path, **options: Any) -> BuildResult:
    return build(load(path), path.parent / "out", BuildOptions(**options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _build(_path(tmp_path, _document())).folder


def _with_subject(name: str) -> dict[str, Any]:
    document = _document()
    document["authorities"][name]["subject"] = {"CN": "Another"}
    return document


def _without_issuing() -> dict[str, Any]:
    document = _document()
    document["authorities"].pop("issuing")
    document["certificates"]["console"]["issuer"] = "root"
    return document


def _with_other_key() -> dict[str, Any]:
    document = _document()
    document["authorities"]["issuing"]["key"] = "ec-p384"
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (_with_subject("root"), r"root \(CN=Site Root\): its subject becomes CN=Another"),
        (_with_subject("issuing"), r"issuing \(.*\): its subject becomes CN=Another"),
        (_with_other_key(), r"issuing \(.*\): it gets another key"),
        (_without_issuing(), r"issuing \(.*\): it is removed"),
    ],
)
def test_another_profile_with_the_same_name_replaces_no_authority(
    tmp_path: Path, folder: Path, document: dict[str, Any], words: str
) -> None:
    before, other = files(folder), _path(tmp_path, document, "b.yaml")
    with pytest.raises(InputError, match=words) as caught:
        _build(other)
    assert str(tmp_path / "a.yaml") in str(caught.value)
    assert str(other) in str(caught.value)
    with pytest.raises(InputError, match="no profile file"):
        build(load(document), folder.parent)
    assert files(folder) == before
    (refusal,) = (note for note in preview(other, folder.parent).notes if "a build is refused" in note)
    assert ". Change the profile's name" in refusal
    _build(other, force=True)
    assert files(folder) != before


def test_another_profile_that_keeps_every_authority_may_build(tmp_path: Path, folder: Path) -> None:
    document = _document()
    document["certificates"]["sensor"] = {"issuer": "issuing"}
    other = _path(tmp_path, document, "b.yaml")
    assert _build(other).summary.counts[Action.ISSUE] == 1
    with pytest.raises(InputError, match=r"b\.yaml"):
        _build(_path(tmp_path, _with_subject("issuing")))


def test_the_recorded_profile_may_replace_an_issuing_authority(tmp_path: Path, folder: Path) -> None:
    for document in (_with_subject("issuing"), _without_issuing()):
        assert not _build(_path(tmp_path, document)).summary.up_to_date


def test_faulty_copies_of_authorities_do_not_count(tmp_path: Path, folder: Path) -> None:
    document = _document()
    document["negatives"] = [{"of": "console", "faults": ["expired-intermediate"]}]
    _build(_path(tmp_path, document))
    assert files(folder)["crls.pem"].count(b"BEGIN X509 CRL") == 2
    _build(_path(tmp_path, _document(), "b.yaml"))


def _renamed_root() -> dict[str, Any]:
    document = _document()
    document["authorities"]["base"] = document["authorities"].pop("root")
    document["authorities"]["issuing"]["issuer"] = "base"
    return document


@pytest.mark.parametrize(
    ("document", "options"),
    [(_with_subject("root"), {}), (_renamed_root(), {}), (_document(), {"rekey": True})],
)
def test_a_root_is_replaced_only_with_the_option(
    tmp_path: Path, folder: Path, document: dict[str, Any], options: dict[str, bool]
) -> None:
    before = files(folder)
    path = _path(tmp_path, document)
    with pytest.raises(InputError, match="--replace-root"):
        _build(path, **options)
    assert files(folder) == before
    notes = _build(path, replace_root=True, **options).summary.notes
    assert any("every client must import trust.pem again" in note for note in notes)
    assert files(folder)["trust.pem"] != before["trust.pem"]


def test_a_root_that_only_excludes_is_not_replaced(tmp_path: Path, folder: Path) -> None:
    before = files(folder)
    assert not _build(_path(tmp_path, _with_subject("root")), only="console").summary.notes
    assert files(folder)["trust.pem"] == before["trust.pem"]


def test_renewing_a_compromised_root_needs_the_option(folder: Path) -> None:
    revoke(folder, ["root"], reason="cACompromise")
    with pytest.raises(InputError, match="--replace-root"):
        renew(folder, ["root"])
    renew(folder, ["root"], replace_root=True)


def test_a_renewed_root_with_the_same_key_is_only_announced(folder: Path) -> None:
    (note,) = renew(folder, ["root"]).summary.notes
    assert note.startswith("the trust anchor CN=Site Root is renewed with the same subject and key")


def test_a_second_root_is_announced(tmp_path: Path, folder: Path) -> None:
    document = _document()
    document["authorities"]["second"] = {"subject": {"CN": "Second"}}
    path = _path(tmp_path, document)
    assert preview(path, folder.parent).notes == _build(path).summary.notes
    assert _build(path).summary.notes == []


def test_an_issuer_that_expires_before_what_it_issued_is_announced(tmp_path: Path) -> None:
    document = _document()
    document["authorities"]["issuing"]["valid"] = "30d"
    path = _path(tmp_path, document)
    (planned,) = preview(path, tmp_path / "out").notes
    assert "before what it issued: console" in planned
    assert _build(path).summary.notes == [planned]
    assert _build(path).summary.notes == [planned]
