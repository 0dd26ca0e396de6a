"""The shards of a fleet, judged by openssl, keytool and the libraries that read their formats."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_pem_x509_certificate

from pkigen.environment.fleets import formats
from pkigen.environment.fleets.read import extract
from pkigen.errors import InputError
from tests import tools
from tests.environment.fleets.profiles import build_fleet, rows

TEXT = ("csv", "jsonl", "sqlite", "tar")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    faults = {"every": "5", "of": ["expired", "san-wrong-host"]}
    return build_fleet(tmp_path_factory.mktemp("fleet"), to=[*TEXT, "pkcs12"], faults=faults).folder


@pytest.mark.parametrize("form", TEXT)
def test_every_format_has_every_certificate_with_its_key(lab: Path, form: str) -> None:
    members = rows(lab, form)
    assert list(members) == [f"meter-{number:02}" for number in range(1, 21)]
    for row in members.values():
        key = load_pem_private_key(row["key"].encode(), None)
        assert load_pem_x509_certificate(row["certificate"].encode()).public_key() == key.public_key()
    assert {row["certificate"] for row in members.values()} == {
        row["certificate"] for row in rows(lab, "jsonl").values()
    }


@pytest.mark.needs("openssl")
def test_openssl_accepts_what_the_rows_expect_it_to_accept(lab: Path, tmp_path: Path) -> None:
    path = tmp_path / "member.crt"
    for row in rows(lab, "csv").values():
        path.write_text(row["certificate"])
        command = ["openssl", "verify", "-x509_strict", "-CAfile", f"{lab}/trust.pem"]
        command += ["-untrusted", f"{lab}/fleets/meter/chain.pem"]
        command += ["-verify_hostname", f"{row['name']}.test", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is (row["expected"] == "accept"), done.stderr
    assert [row["fault"] for row in rows(lab).values() if row["fault"]] == ["expired", "san-wrong-host"] * 2


@pytest.mark.needs("openssl", "keytool")
def test_java_and_openssl_read_the_key_stores(lab: Path) -> None:
    store = lab / "fleets/meter/pkcs12/meter-09-16.p12"
    listing = tools.run("keytool", "-list", "-keystore", store, "-storepass", "changeit")
    assert all(f"meter-{number:02}, " in listing for number in range(9, 17))
    text = tools.run("openssl", "pkcs12", "-in", store, "-passin", "pass:changeit", "-nodes")
    assert text.count("BEGIN PRIVATE KEY") == 8
    assert load_pkcs12(store.read_bytes(), b"changeit").key is not None


def test_shards_are_readable_only_by_their_owner(lab: Path) -> None:
    shards = lab / "fleets"
    directories = [shards, *(path for path in shards.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o700}
    files = [path for path in shards.rglob("*") if path.is_file() and path.name != "chain.pem"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not list((lab / "www").rglob("*meter*"))


@pytest.mark.parametrize("form", TEXT)
def test_one_certificate_is_read_from_each_format(
    lab: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.environment.fleets.read.FORMATS", {form: formats.FORMATS[form]})
    extracted = extract(lab, "meter", 11)
    assert extracted.member.name == "meter-11"
    assert extracted.member.certificate == rows(lab)["meter-11"]["certificate"]
    assert [file.path for file in extracted.files()] == ["meter-11.crt", "meter-11.key", "chain.pem"]


def test_parquet_without_its_library_is_an_error_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(formats, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install 'pkigen\[fleets\]'"):
        build_fleet(tmp_path, to=["parquet"])
    assert not (tmp_path / "lab").exists()


def test_parquet_has_the_same_rows(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    lab = build_fleet(tmp_path, to=["parquet", "jsonl"]).folder
    assert rows(lab, "parquet") == rows(lab, "jsonl")
    assert extract(lab, "meter", 20).member.name == "meter-20"
