"""Requirements on files with several objects: PEM files and key stores, in environments and as files."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, check_environment, check_files
from pkigen.requirements import RequirementSet, load_set
from tests.environment.profiles import build_it, manifest

SET = """
name: files
title: Files
source: {title: Documentation, date: "2026"}
requirements:
  - id: one-file
    demand:
      combined_file:
        encodings: [PEM]
        suffixes: [.pem]
        contains: [key, issuers, root]
        first: certificate
        mode: 0600
    level: rejected
    says: One PEM file contains the certificate, its key and every CA certificate.
  - id: store
    demand:
      combined_file:
        encodings: [PKCS#12]
        contains: [key, issuers]
        alias: {pattern: server, counterexample: other}
        ciphers: [AES-256-CBC]
        macs: [SHA-256]
        entries: 1
    level: rejected
    says: The key store contains one key, server, with its chain, in AES-256.
  - id: chain
    demand: {combined_file: {encodings: [PEM], contains: [issuers], lacks: [root, key], order: leaf-to-root}}
    level: rejected
    says: A PEM file contains the certificate and its issuers, without the root.
  - id: archive
    demand:
      combined_file:
        encodings: [ZIP, tar]
        suffixes: [.zip, .tar]
        contains: [key, issuers, root]
        name: {pattern: "server.*", counterexample: other.zip}
    level: rejected
    says: An archive contains the certificate, its key and every CA certificate.
  - id: key
    demand: {key_file: {mode: "0640", name: {pattern: '.+\\.key', counterexample: tls.pem}}}
    level: rejected
    says: Only its owner and its group can read the file with the key.
  - id: names
    demand: {certificate_file: {name: {pattern: 'server.*\\.crt', counterexample: tls.crt}}}
    level: rejected
    says: The name of the certificate file begins with server.
  - id: chain-name
    demand: {chain_file: {name: {pattern: 'chain\\.pem', counterexample: ca.pem}}}
    level: rejected
    says: The name of the chain file is chain.pem.
"""


@dataclass(frozen=True)
class _Built:
    folder: Path
    demands: RequirementSet

    def file(self, case: str, suffix: str) -> Path:
        """Return the file of a case with a suffix; ``case`` is "" for the certificate without a fault."""
        name = f"server.{case}".removesuffix(".")
        directory = self.folder / "certificates" / name
        return directory / (suffix if suffix == "fullchain.pem" else f"{name}.{suffix}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> _Built:
    folder = tmp_path_factory.mktemp("files")
    (folder / "files.yaml").write_text(SET)
    against = str(folder / "files.yaml")
    document: dict[str, Any] = {
        "name": "built",
        "defaults": {"key": "ec-p256"},
        "requirements": [against],
        "authorities": {"root": {"subject": {"CN": "Root"}}, "issuing": {"issuer": "root"}},
        "certificates": {
            "server": {
                "issuer": "issuing",
                "formats": ["combined", "pkcs12", "fullchain", "zip", "tar"],
                "pkcs12": {"alias": "server"},
            }
        },
        "negatives": [{"of": "server", "against": against}],
    }
    return _Built(build_it(document, folder / "out").folder, load_set(against))


_OBJECTS = {"one-file", "store", "chain"}
"""The requirements on PEM files and key stores with several objects."""


def _broken(built: _Built, *files: Path, passphrase: bytes = b"changeit") -> set[str]:
    (result,) = check_files(files, [built.demands], CheckOptions(passphrases=(passphrase,)))
    return {finding.requirement.id for finding in result.broken} & _OBJECTS


def test_each_case_violates_the_requirement_on_its_file_alone(built: _Built) -> None:
    results = {one.name: one for one in check_environment(built.folder, None, CheckOptions())}
    violated = {name: [f.requirement.id for f in one.broken] for name, one in results.items()}
    cases = {case["name"]: case for case in manifest(built.folder)["cases"]}
    assert violated == {name: case.get("fault", {}).get("violates", []) for name, case in cases.items()}
    faults = {"no-key", "no-issuers", "no-root", "reversed", "der", "suffix", "mode"}
    stores = {"no-key", "no-issuers", "alias", "3des"}
    chains = {"no-issuers", "with-root", "with-key", "reversed", "der"}
    archives = {"no-key", "no-issuers", "no-root", "der", "suffix", "name"}
    expected = {
        "one-file": faults,
        "store": stores,
        "chain": chains,
        "archive": archives,
        "key": {"mode", "name"},
        "names": {"name"},
        "chain-name": {"name"},
    }
    faulty = {f"server.{name}-{fault}" for name, every in expected.items() for fault in every}
    assert set(cases) == {"server", *faulty}


def test_a_file_given_alone_satisfies_only_the_requirement_on_its_kind(built: _Built) -> None:
    assert _broken(built, built.file("", "combined.pem")) == {"store", "chain"}
    assert _broken(built, built.file("", "p12")) == {"one-file", "chain"}
    assert _broken(built, built.file("", "fullchain.pem"), built.file("", "key")) == {"one-file", "store"}


def test_a_key_store_without_its_passphrase_is_undecided(built: _Built) -> None:
    files = [built.file("", "p12"), built.file("", "combined.pem")]
    (result,) = check_files(files, [built.demands], CheckOptions())
    assert {one.requirement.id for one in result.findings if one.outcome.undecided} == {"store"}
    assert {one.requirement.id for one in result.broken} & _OBJECTS == {"chain"}


@pytest.mark.needs("openssl")
def test_openssl_reads_the_alias_and_the_ciphers_that_the_cases_have(built: _Built) -> None:
    def openssl(case: str, *options: str) -> str:
        path = str(built.file(case, "p12"))
        command = ["openssl", "pkcs12", "-in", path, "-passin", "pass:changeit", "-legacy", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    assert "friendlyName: other" in openssl("store-alias", "-nokeys")
    assert "friendlyName: server" in openssl("", "-nokeys")
    info = openssl("store-3des", "-info", "-noout")
    assert "MAC: sha1" in info
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in info
    assert openssl("store-no-issuers", "-nokeys").count("BEGIN CERTIFICATE") == 1
    assert openssl("", "-nokeys").count("BEGIN CERTIFICATE") == 3
    assert "PRIVATE KEY" not in openssl("store-no-key", "-nodes")


@pytest.mark.parametrize(
    ("demand", "words"),
    [
        ("{}", "no condition given"),
        ("{contains: [key], lacks: [key]}", "both have key"),
        ("{encodings: [PKCS#12], first: key}", "PEM files only"),
        ("{first: key, sequence: [certificate, key]}", "not the first one"),
        ("{sequence: [key, key]}", "each once"),
        ("{alias: {pattern: a, counterexample: a}}", "does not match the pattern"),
        ("{contains: [leaf]}", "key"),
        ("{mode: 0644}", "permits every user"),
        ("{mode: 1600}", "not the mode of a file"),
        ("{name: {pattern: a, counterexample: b/c}}", "must be the name of a file"),
    ],
)
def test_a_contradictory_demand_is_an_error_with_its_line(demand: str, words: str, tmp_path: Path) -> None:
    text = SET.partition("requirements:")[0]
    text += f"requirements: [{{id: a, level: advice, says: A., demand: {{combined_file: {demand}}}}}]\n"
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InputError, match=words) as raised:
        load_set(str(tmp_path / "own.yaml"))
    assert raised.value.problems[0].location is not None


@pytest.mark.parametrize(
    ("sequence", "satisfied"),
    [
        ("[certificate, key, issuers]", {"combined.pem", "fullchain.pem"}),
        ("[key, certificate, issuers]", {"fullchain.pem"}),
        ("[certificate, issuers, key]", {"fullchain.pem"}),
        ("[issuers, certificate]", set[str]()),
    ],
)
def test_the_sequence_of_the_objects_is_required(
    sequence: str, satisfied: set[str], built: _Built, tmp_path: Path
) -> None:
    text = SET.partition("requirements:")[0]
    demand = f"{{combined_file: {{sequence: {sequence}}}}}"
    text += f"requirements: [{{id: a, level: rejected, says: A., demand: {demand}}}]\n"
    (tmp_path / "own.yaml").write_text(text)
    own = load_set(str(tmp_path / "own.yaml"))
    results = {
        suffix: check_files([built.file("", suffix)], [own], CheckOptions())
        for suffix in ("combined.pem", "fullchain.pem")
    }
    assert {suffix for suffix, (one,) in results.items() if not one.broken} == satisfied


def test_a_file_that_others_can_read_violates_its_mode(built: _Built, tmp_path: Path) -> None:
    key = tmp_path / "server.key"
    key.write_bytes(built.file("", "key").read_bytes())
    violated = dict[int, bool]()
    for mode in (0o600, 0o640, 0o400, 0o660, 0o644):
        key.chmod(mode)
        (result,) = check_files([built.file("", "crt"), key], [built.demands], CheckOptions())
        violated[mode] = "key" in {one.requirement.id for one in result.broken}
    assert violated == {0o600: False, 0o640: False, 0o400: False, 0o660: True, 0o644: True}


@pytest.mark.parametrize(("suffix", "program"), [("zip", ["unzip", "-p"]), ("tar", ["tar", "-xOf"])])
def test_archives_have_the_files_that_unzip_and_tar_extract(
    suffix: str, program: list[str], built: _Built
) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    archive = built.file("", suffix)
    for member in ("server.crt", "server.key", "chain.pem"):
        done = subprocess.run([*program, str(archive), member], capture_output=True, check=True)
        assert done.stdout == (archive.parent / member).read_bytes()
    (result,) = check_files([archive], [built.demands], CheckOptions())
    assert "archive" not in {one.requirement.id for one in result.broken}


def test_a_file_with_the_certificate_alone_has_no_sequence_next_to_a_file_with_several_objects(
    built: _Built, tmp_path: Path
) -> None:
    text = SET.partition("requirements:")[0]
    demand = "{combined_file: {sequence: [key, certificate, issuers]}}"
    text += f"requirements: [{{id: a, level: rejected, says: A., demand: {demand}}}]\n"
    (tmp_path / "own.yaml").write_text(text)
    own = load_set(str(tmp_path / "own.yaml"))
    paths = [built.file("", "crt"), built.file("", "combined.pem")]
    (result,) = check_files(paths, [own], CheckOptions())
    assert [one.outcome.actual for one in result.broken] == ["certificate, key, issuers"]
    (result,) = check_files(paths[:1], [own], CheckOptions())
    assert not result.broken


def test_the_violation_of_the_most_complete_file_is_reported(built: _Built) -> None:
    name = "chain-with-root"
    results = {one.name: one for one in check_environment(built.folder, None, CheckOptions())}
    (violated,) = results[f"server.{name}"].broken
    assert (violated.outcome.actual, violated.outcome.expected) == (
        "the root certificate",
        "no root certificate",
    )
