"""Seeded builds: the same bytes on every run, whatever the machine and the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.errors import InputError
from tests.environment.profiles import Document, build_it, files, manifest, small

_REPEATING = (".crt", ".key", ".pem", ".crl", ".der")


def _every_kind() -> Document:
    kinds = ["rsa-1024", "ec-p256", "ec-p521", "ed25519", "ed448", "ml-dsa-44"]
    document = small()
    document["defaults"]["key"] = "rsa-1024"
    for kind in kinds:
        document["certificates"][f"of-{kind}"] = {
            "issuer": "issuing",
            "key": kind,
            "formats": ["der", "fullchain", "key-der"],
        }
    document["certificates"]["secret"] = {"issuer": "issuing", "passphrase": "geheim"}
    document["certificates"]["pss"] = {"issuer": "issuing", "signature": "pss-sha256"}
    return document


def test_the_same_seed_gives_the_same_pem_and_der(tmp_path: Path) -> None:
    first = build_it(_every_kind(), tmp_path / "a", seed="x", jobs=1)
    second = build_it(_every_kind(), tmp_path / "b", seed="x", jobs=2)
    ours, theirs = files(first.folder), files(second.folder)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if name.endswith(_REPEATING) and ours[name] != theirs[name]] == []
    assert any("the seed reveals every key" in note for note in first.summary.notes)


def test_another_seed_replaces_the_keys_of_an_existing_environment(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path, seed="x").folder
    before = files(folder)
    build_it(small(), tmp_path, seed="y")
    fresh = build_it(small(), tmp_path / "other", seed="y").folder
    after = files(folder)
    keys = [name for name in before if name.endswith(".key")]
    assert all(before[name] != after[name] for name in keys)
    assert all(after[name] == files(fresh)[name] for name in keys)


def test_the_crls_of_a_seeded_build_are_valid_as_long_as_its_certificates(tmp_path: Path) -> None:
    folder = build_it(small(), tmp_path, seed="x").folder
    authorities = manifest(folder)["authorities"]
    assert {authority["crl"]["next_update"][:10] for authority in authorities} == {"2027-12-03"}


def test_a_malformed_raw_key_identifier_is_issued(tmp_path: Path) -> None:
    document = small()
    document["authorities"]["issuing"]["extensions"] = [{"oid": "2.5.29.14", "der": "ff"}]
    build_it(document, tmp_path)
    assert build_it(document, tmp_path).summary.up_to_date


def test_a_seed_and_a_pool_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exclude each other"):
        build_it(small(), tmp_path, seed="x", keys="pool")
