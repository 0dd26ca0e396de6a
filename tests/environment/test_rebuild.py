"""A second build changes only what is necessary, and reports the reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.errors import InputError
from tests.environment.profiles import build_it, changes, crls, files, manifest, reasons, small
from tests.openssl import Judge


def test_nothing_changes_when_nothing_changed(tmp_path: Path) -> None:
    first = build_it(small(), tmp_path)
    before = files(first.folder)
    second = build_it(small(), tmp_path)
    assert second.summary.up_to_date
    assert files(second.folder) == before
    assert changes(first) == dict.fromkeys(["root", "issuing", "console", "sensor-01", "sensor-02"], "issue")


def test_an_edited_san_gives_that_one_a_new_certificate_and_keeps_its_key(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    before = files(folder)
    edited = small()
    edited["certificates"]["console"]["san"] = ["dns:console.test", "ip:10.1.0.10"]
    result = build_it(edited, tmp_path)
    assert changes(result) == {"console": "reissue"}
    assert reasons(result, "console") == "its subject alternative name changed"
    after = files(folder)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"manifest.json", "certificates/console/console.crt"}


def test_a_new_root_reissues_every_certificate_below_it(tmp_path: Path) -> None:
    build_it(small(), tmp_path)
    edited = small()
    edited["authorities"]["root"]["subject"] = {"CN": "Another Root"}
    result = build_it(edited, tmp_path)
    assert changes(result) == dict.fromkeys(
        ["root", "issuing", "console", "sensor-01", "sensor-02"], "reissue"
    )
    assert crls(result) == {"root", "issuing"}
    judge = Judge(result.folder)
    assert [judge.verify(case) for case in judge.manifest["cases"]] == ["", "", ""]


def test_a_revocation_is_published_and_can_be_removed(tmp_path: Path) -> None:
    build_it(small(), tmp_path)
    edited = small()
    edited["certificates"]["console"]["revoked"] = {"reason": "keyCompromise", "at": "-2d"}
    result = build_it(edited, tmp_path)
    assert changes(result) == {}
    assert crls(result) == {"issuing"}
    judge = Judge(result.folder)
    console, sensor, _ = judge.manifest["cases"]
    assert "certificate revoked" in judge.verify(console)
    assert judge.verify(sensor) == ""
    assert console["verdict"] == {
        "expected": "reject",
        "stage": "revocation",
        "reason": "its CRL lists it: keyCompromise",
    }
    assert build_it(edited, tmp_path).summary.up_to_date
    assert crls(build_it(small(), tmp_path)) == {"issuing"}
    assert judge.verify(judge.manifest["cases"][0]) == ""


def test_crl_numbers_only_grow(tmp_path: Path) -> None:
    numbers = []
    for reason in ("superseded", "keyCompromise", "superseded"):
        document = small()
        document["certificates"]["console"]["revoked"] = {"reason": reason, "at": "-2d"}
        folder = build_it(document, tmp_path).folder
        numbers.append(manifest(folder)["authorities"][1]["crl"]["number"])
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize("name", ["console.crt", "console.key"])
def test_a_missing_file_is_written_again(tmp_path: Path, name: str) -> None:
    folder = build_it(small(), tmp_path).folder
    (folder / "certificates" / "console" / name).unlink()
    result = build_it(small(), tmp_path)
    assert changes(result) == {"console": "reissue"}
    assert reasons(result, "console") == f"certificates/console/{name} is missing"
    judge = Judge(folder)
    assert judge.verify(judge.manifest["cases"][0]) == ""
    assert judge.key_matches(judge.manifest["cases"][0])


def test_an_altered_certificate_is_reissued_and_moved_aside(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    foreign = (folder / "certificates/sensor-01/sensor-01.crt").read_bytes()
    (folder / "certificates/console/console.crt").write_bytes(foreign)
    result = build_it(small(), tmp_path)
    assert reasons(result, "console") == "certificates/console/console.crt was altered"
    assert (folder / "certificates/console/console.crt").read_bytes() != foreign
    moved_aside = [path.read_bytes() for path in (folder / ".pkigen").rglob("console.crt")]
    assert foreign in moved_aside


def test_a_replaced_key_file_is_never_used(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    foreign = (folder / "certificates/sensor-01/sensor-01.key").read_bytes()
    (folder / "certificates/console/console.key").write_bytes(foreign)
    build_it(small(), tmp_path)
    assert (folder / "certificates/console/console.key").read_bytes() != foreign
    judge = Judge(folder)
    assert judge.key_matches(judge.manifest["cases"][0])


def test_a_foreign_file_survives_a_reissue(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    note = folder / "certificates/console/note.txt"
    note.write_text("mine")
    edited = small()
    edited["certificates"]["console"]["subject"] = {"CN": "console.example.test"}
    build_it(edited, tmp_path)
    assert note.read_text() == "mine"


def test_a_derived_file_is_restored_without_a_new_certificate(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    before = files(folder)
    (folder / "authorities/root/chain.pem").unlink()
    (folder / "www/ca/issuing.crt").write_bytes(b"junk")
    result = build_it(small(), tmp_path)
    assert changes(result) == {"root": "rewrite", "issuing": "rewrite"}
    assert files(folder) == before


def test_new_formats_are_written_beside_the_same_certificate(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    before = files(folder)
    edited = small()
    edited["certificates"]["console"]["formats"] = ["fullchain", "pkcs12"]
    assert changes(build_it(edited, tmp_path)) == {"console": "rewrite"}
    after = files(folder)
    assert {name for name in after if name not in before} == {
        "certificates/console/fullchain.pem",
        "certificates/console/console.p12",
    }
    assert after["certificates/console/console.crt"] == before["certificates/console/console.crt"]
    assert changes(build_it(small(), tmp_path)) == {"console": "rewrite"}
    assert files(folder).keys() == before.keys()


def test_a_changed_passphrase_keeps_the_key_without_rekey(tmp_path: Path) -> None:
    first = small()
    first["authorities"]["root"]["passphrase"] = "one"
    folder = build_it(first, tmp_path).folder
    before = files(folder)
    second = small()
    second["authorities"]["root"]["passphrase"] = "two"
    with pytest.raises(InputError, match="the profile's passphrase does not decrypt its key"):
        build_it(second, tmp_path)
    assert files(folder) == before
    build_it(second, tmp_path, rekey=True)
    judge = Judge(folder)
    assert judge.key_matches(judge.manifest["authorities"][0], "two")


def test_removed_entities_are_reported_and_kept_until_pruned(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    shrunk = small()
    del shrunk["certificates"]["console"]
    assert changes(build_it(shrunk, tmp_path)) == {"console": "left"}
    assert (folder / "certificates/console/console.crt").exists()
    assert changes(build_it(shrunk, tmp_path, prune=True)) == {"console": "prune"}
    assert not (folder / "certificates/console").exists()
    assert build_it(shrunk, tmp_path).summary.up_to_date


def test_an_expired_certificate_is_reissued(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    build_it(small(), tmp_path, at=datetime(2024, 1, 1, tzinfo=UTC))
    result = build_it(small(), tmp_path, at=datetime(2025, 3, 1, tzinfo=UTC))
    assert changes(result) == dict.fromkeys(["console", "sensor-01", "sensor-02"], "reissue")
    assert reasons(result, "console") == "it expired on 2025-01-31"


def test_a_certificate_is_renewed_before_it_expires(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    document = small()
    document["certificates"]["console"]["renew"] = "30d"
    build_it(document, tmp_path, at=datetime(2024, 1, 1, tzinfo=UTC))
    result = build_it(document, tmp_path, at=datetime(2025, 1, 10, tzinfo=UTC))
    assert changes(result) == {"console": "reissue"}


def test_only_limits_the_build_to_matching_names(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path, only="sensor-*").folder
    assert sorted(path.name for path in (folder / "certificates").iterdir()) == ["sensor-01", "sensor-02"]
    assert changes(build_it(small(), tmp_path)) == {"console": "issue"}


def test_only_with_rekey_changes_no_authority_and_no_other_certificate(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    assert changes(build_it(small(), tmp_path, only="sensor-01", rekey=True)) == {
        "root": "skip",
        "issuing": "skip",
        "console": "skip",
        "sensor-01": "reissue",
        "sensor-02": "skip",
    }
    judge = Judge(folder)
    assert [judge.verify(case) for case in judge.manifest["cases"]] == ["", "", ""]


def test_an_edited_root_that_only_excludes_breaks_nothing(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    edited = small()
    edited["authorities"]["root"]["subject"] = {"CN": "Another Root"}
    edited["certificates"]["console"]["san"] = ["dns:other.test"]
    build_it(edited, tmp_path, only="console")
    judge = Judge(folder)
    assert [judge.verify(case) for case in judge.manifest["cases"]] == ["", "", ""]


def test_certificates_whose_issuer_only_replaced_are_reported(
    tmp_path: Path,
) -> None:
    build_it(small(), tmp_path)
    result = build_it(small(), tmp_path, only="issuing", rekey=True)
    assert "3 certificates that --only excludes" in " ".join(result.summary.notes)
    judge = Judge(result.folder)
    for case in judge.manifest["cases"]:
        assert case["verdict"]["expected"] == "reject"
        assert judge.verify(case) != ""
    build_it(small(), tmp_path)
    assert [judge.verify(case) for case in judge.manifest["cases"]] == ["", "", ""]


def test_rekey_replaces_every_key(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path).folder
    before = files(folder)
    build_it(small(), tmp_path, rekey=True)
    after = files(folder)
    keys = [name for name in after if name.endswith(".key")]
    assert len(keys) == 5
    assert all(before[name] != after[name] for name in keys)


def test_a_key_of_another_kind_replaces_the_old_one(tmp_path: Path) -> None:
    build_it(small(), tmp_path)
    edited = small()
    edited["certificates"]["console"]["key"] = "ed25519"
    result = build_it(edited, tmp_path)
    assert changes(result) == {"console": "reissue"}
    assert "its key changed from ec-p256 to ed25519" in reasons(result, "console")


def test_an_edited_together_of_a_set_changes_the_expectations_of_its_cases_only(tmp_path: Path) -> None:
    text = (
        "name: own\ntitle: Own\nsource: {title: Own, date: '2026'}\nrequirements:\n"
        "  - {id: has-cn, level: rejected, says: A name., "
        "demand: {subject_attribute: {type: CN, required: true}}}\n"
        "  - {id: own-ski, level: advice, says: An identifier., "
        "demand: {extension: {name: subject_key_identifier, required: true}}%s}\n"
    )
    path = tmp_path / "own.yaml"
    path.write_text(text % "")
    document = small() | {"negatives": [{"of": "console", "against": str(path)}]}
    folder = build_it(document, tmp_path / "out").folder
    before = files(folder)
    path.write_text(text % ", together: [{ids: [has-cn], because: For this test.}]")
    result = build_it(document, tmp_path / "out")
    assert result.summary.up_to_date
    after = files(folder)
    assert {name for name in after if before.get(name) != after[name]} == {"manifest.json"}
    violates = {case["name"]: case.get("fault", {}).get("violates") for case in manifest(folder)["cases"]}
    assert violates["console.own-ski-missing"] == ["own-ski", "has-cn"]
