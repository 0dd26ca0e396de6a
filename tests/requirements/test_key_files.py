"""Requirements on key files that combine several conditions, in environments and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.inspection.check import CheckOptions, CheckResult, check_environment, check_files
from pkigen.requirements import load_set
from tests.environment.profiles import build_it
from tests.tools import run

SET = """
name: keys
title: Keys
source: {title: Documentation, date: "2026"}
requirements:
  - id: usable
    demand: {key_file: {encodings: [PEM], opens: true, sound: true, matches: true}}
    level: rejected
    says: The key file opens, and has the key of the certificate.
    together:
      - {ids: [traditional-if-encrypted], variants: [wrong, none], because: These keys are in PKCS#8.}
  - id: has-cn
    demand: {subject_attribute: {type: CN, required: true}}
    level: rejected
    says: The subject has a common name.
  - id: traditional-if-encrypted
    any: [{key_file: {encryption: forbidden}}, {key_file: {formats: [PKCS#1, SEC 1]}}]
    level: rejected
    says: A key with a passphrase is in a traditional format.
"""


def _results(folder: Path, demands: str, passphrase: str | None = None) -> dict[str, CheckResult]:
    (folder / "keys.yaml").write_text(demands)
    against = str(folder / "keys.yaml")
    output: dict[str, Any] = {"passphrase": passphrase, "key_format": "traditional"} if passphrase else {}
    document: dict[str, Any] = {
        "name": "built",
        "authorities": {"root": {"subject": {"CN": "Root"}, "key": "ec-p256"}},
        "certificates": {
            "server": {"issuer": "root", "key": "rsa-2048", "requirements": [against], **output}
        },
        "negatives": [{"of": "server", "against": against}],
    }
    built = build_it(document, folder / "out")
    return {one.name: one for one in check_environment(built.folder, None, CheckOptions())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, CheckResult]]:
    folder = tmp_path_factory.mktemp("keys")
    return folder, _results(folder, SET)


def test_every_condition_of_a_key_file_has_a_case_that_violates_exactly_it(
    plain: tuple[Path, dict[str, CheckResult]],
) -> None:
    _, results = plain
    assert results.keys() == {
        "server",
        *(f"server.usable-{variant}" for variant in ("der", "wrong", "none", "unsound", "other")),
        "server.has-cn-missing",
        "server.has-cn-empty",
        "server.traditional-if-encrypted-none",
    }
    assert all(one.as_expected for one in results.values())


def test_another_key_that_opens_is_a_violation(plain: tuple[Path, dict[str, CheckResult]]) -> None:
    folder, _ = plain
    name = "server.usable-other"
    files = [folder / f"out/built/certificates/{name}/{name}.{suffix}" for suffix in ("crt", "key")]
    (result,) = check_files(files, [load_set(str(folder / "keys.yaml"))], CheckOptions())
    assert [one.requirement.id for one in result.broken] == ["usable"]
    assert result.broken[0].outcome.actual == "another key (rsa-2048)"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("form", ["uncompressed", "compressed", "hybrid"])
def test_the_form_of_an_ec_point_does_not_make_it_another_key(form: str, tmp_path: Path) -> None:
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "own.key", cwd=tmp_path)
    run("openssl", "ec", "-in", "own.key", "-conv_form", form, "-out", "form.key", cwd=tmp_path)
    options = ("-subj", "/CN=server", "-days", "30", "-out", "server.crt")
    run("openssl", "req", "-new", "-x509", "-key", "form.key", *options, cwd=tmp_path)
    (tmp_path / "keys.yaml").write_text(SET)
    files = [tmp_path / "server.crt", tmp_path / "own.key"]
    (result,) = check_files(files, [load_set(str(tmp_path / "keys.yaml"))], CheckOptions())
    assert result.broken == ()


def test_an_encrypted_key_in_pkcs8_violates_the_requirement_on_encrypted_keys_only(
    plain: tuple[Path, dict[str, CheckResult]],
) -> None:
    folder, results = plain
    name = "server.traditional-if-encrypted-none"
    key = (folder / f"out/built/certificates/{name}/{name}.key").read_text()
    assert key.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    (violated,) = results[name].broken
    assert violated.outcome.expected == "a key without encryption or PKCS#1 or SEC 1"


ENCRYPTED_SET = """
name: keys
title: Keys
source: {title: Documentation, date: "2026"}
requirements:
  - id: usable
    demand: {key_file: {encodings: [PEM], opens: true, matches: true}}
    level: rejected
    says: The key file opens, and has the key of the certificate.
  - id: has-cn
    demand: {subject_attribute: {type: CN, required: true}}
    level: rejected
    says: The subject has a common name.
"""


@pytest.mark.parametrize("opens", ["opens: true, ", ""], ids=["opens", "matches"])
def test_without_its_passphrase_an_encrypted_key_is_undecided(opens: str, tmp_path: Path) -> None:
    results = _results(tmp_path, ENCRYPTED_SET.replace("opens: true, ", opens), "a passphrase")
    outcomes = {one.requirement.id: one.outcome for one in results["server.has-cn-missing"].findings}
    assert outcomes["usable"].undecided
    assert {name for name, one in results.items() if not one.as_expected} <= {"server.usable-other"}
    options = CheckOptions(passphrases=(b"a passphrase",))
    assert all(one.as_expected for one in check_environment(tmp_path / "out/built", None, options))
