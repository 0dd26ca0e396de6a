"""Exports of fleets for load tools, judged by keytool, openssl and node; `make loadtools` runs the tools."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

from pkigen.environment.environment import Environment, open_environment
from pkigen.errors import InputError
from pkigen.export import FLEET_TARGETS, TARGETS, ExportOptions, export
from tests import tools
from tests.environment.fleets.profiles import rows, with_fleet
from tests.environment.profiles import build_it

NAMES = [f"meter-{number:02}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    document = with_fleet(12, 8, faults={"every": "3", "of": ["expired"]})
    document["certificates"] = {"broker": {"issuer": "issuing", "subject": {"CN": "broker.test"}}}
    return open_environment(build_it(document, tmp_path_factory.mktemp("lab"), jobs=1).folder)


def _exported(lab: Environment, target: str, out: Path) -> Path:
    options = ExportOptions(out=out, fleet="meter", count=6)
    result = export(lab, FLEET_TARGETS[target], options)
    assert list(result.certificates) == NAMES
    secret = [path for path in out.rglob("*") if path.is_file() and path.stat().st_mode & 0o077 == 0]
    for path in out.rglob("*"):
        assert path in secret or path.is_dir() or b"PRIVATE KEY" not in path.read_bytes()
    return out


def _table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.needs("keytool")
def test_jmeter_gets_one_key_store_with_an_alias_for_each_certificate(
    lab: Environment, tmp_path: Path
) -> None:
    folder = _exported(lab, "jmeter", tmp_path)
    aliases = [row["alias"] for row in _table(folder / "aliases.csv")]
    store = folder / "private/clients.p12"
    listing = tools.run("keytool", "-list", "-keystore", store, "-storepass", "changeit")
    assert aliases == NAMES
    assert all(f"{alias}, " in listing for alias in aliases)
    assert "PrivateKeyEntry" in listing


def test_neoload_gets_a_key_store_for_each_user(lab: Environment, tmp_path: Path) -> None:
    folder = _exported(lab, "neoload", tmp_path)
    for row in _table(folder / "users.csv"):
        store = load_pkcs12((folder / row["file"]).read_bytes(), b"changeit")
        assert store.cert is not None
        assert f"{store.cert.certificate.serial_number:x}" == row["serial"]
        assert row["fault"] == rows(lab.folder)[row["name"]]["fault"]


@pytest.mark.parametrize("target", ["locust", "k6"])
def test_scripts_read_one_file_with_keys_that_need_no_passphrase(
    lab: Environment, tmp_path: Path, target: str
) -> None:
    folder = _exported(lab, target, tmp_path)
    devices = [json.loads(line) for line in (folder / "private/fleet.jsonl").read_text().splitlines()]
    assert [device["name"] for device in devices] == NAMES
    for device in devices:
        leaf, *above = load_pem_x509_certificates(device["certificate"].encode())
        assert load_pem_private_key(device["key"].encode(), None).public_key() == leaf.public_key()
        assert [one.subject.rfc4514_string() for one in above] == ["CN=Issuing,O=Test"]
    if target == "locust":
        compile((folder / "locustfile.py").read_text(), "locustfile.py", "exec")


@pytest.mark.needs("node")
def test_node_parses_the_script_of_k6(lab: Environment, tmp_path: Path) -> None:
    folder = _exported(lab, "k6", tmp_path)
    module = (folder / "script.js").rename(folder / "script.mjs")
    tools.run("node", "--check", module)


@pytest.mark.parametrize(
    ("target", "certificate", "key"),
    [
        ("emqtt-bench", "private/meter-01/cert.pem", "private/meter-01/key.pem"),
        ("mosquitto", "private/meter-01.crt", "private/meter-01.key"),
    ],
)
def test_clients_of_brokers_get_a_certificate_and_a_key(
    lab: Environment, tmp_path: Path, target: str, certificate: str, key: str
) -> None:
    folder = _exported(lab, target, tmp_path)
    loaded = load_pem_x509_certificate((folder / certificate).read_bytes())
    assert load_pem_private_key((folder / key).read_bytes(), None).public_key() == loaded.public_key()
    scripts = [path for path in folder.iterdir() if path.suffix == ".sh"]
    for script in scripts:
        tools.run("sh", "-n", script)
    assert scripts


def test_a_fleet_that_does_not_exist_is_an_error(lab: Environment, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'meter'"):
        export(lab, FLEET_TARGETS["k6"], ExportOptions(out=tmp_path, fleet="metre"))
    with pytest.raises(InputError, match="matches --only 'x'"):
        export(lab, FLEET_TARGETS["k6"], ExportOptions(out=tmp_path, fleet="meter", only="x"))


def test_encrypted_keys_are_exported_only_with_their_passphrase(tmp_path: Path) -> None:
    document = with_fleet(1, 1, passphrase="geheim")
    lab = open_environment(build_it(document, tmp_path, jobs=1).folder)
    with pytest.raises(InputError, match=r"meter-1: .*pass its passphrase with --passphrase-file"):
        export(lab, FLEET_TARGETS["k6"], ExportOptions(fleet="meter"))
    options = ExportOptions(fleet="meter", passphrases=(b"wrong", b"geheim"))
    folder = export(lab, FLEET_TARGETS["k6"], options).folder
    assert folder.name == "k6-meter"
    assert '"-----BEGIN PRIVATE KEY' in (folder / "private/fleet.jsonl").read_text()


def test_only_mosquitto_is_a_target_of_environments_and_of_fleets() -> None:
    assert TARGETS.keys() & FLEET_TARGETS.keys() == {"mosquitto"}
