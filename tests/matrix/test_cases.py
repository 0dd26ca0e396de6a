"""What a manifest's case gives to validators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pkigen import BuildOptions, build
from pkigen.environment.environment import Environment
from pkigen.matrix import MatrixCase, cases_of, subjects_of


def test_a_case_has_its_files_and_what_is_published_for_its_path(
    environment: Environment, cases: dict[str, MatrixCase]
) -> None:
    case = cases["sound"]
    own = environment.folder / "certificates" / "sound"
    assert (case.certificate, case.chain) == (own / "sound.crt", own / "chain.pem")
    assert case.key == own / "sound.key"
    assert (case.pkcs12, case.passphrase) == (None, None)
    assert case.anchors == (environment.folder / "authorities" / "root" / "root.crt",)
    assert [path.name for path in case.crls] == ["issuing.crl", "root.crl"]
    assert case.host == "sound.contoso.test"
    assert case.at.isoformat(timespec="seconds") == environment.manifest["clock"].replace("Z", "+00:00")
    assert case.at.microsecond == 500_000


def test_a_case_with_a_passphrase_has_its_pkcs12_file(environment: Environment) -> None:
    (data, *_) = _cases(environment)
    files = {**data["files"], "passphrase": "certificates/sound/passphrase.txt"}
    manifest = {**environment.manifest, "cases": [{**data, "files": files}]}
    (case,) = cases_of(Environment(environment.folder, manifest))
    assert case.pkcs12 == environment.folder / "certificates" / "sound" / "sound.p12"
    assert case.passphrase == environment.folder / "certificates" / "sound" / "passphrase.txt"


def test_a_case_trusts_only_its_root(cases: dict[str, MatrixCase]) -> None:
    roots = {name: [path.stem for path in case.anchors] for name, case in cases.items()}
    assert roots.pop("sound.ext-unknown-critical-root") == ["root.sound.ext-unknown-critical-root"]
    assert set(map(tuple, roots.values())) == {("root",)}


def test_a_case_without_trust_uses_the_roots_of_its_path_or_all_without_a_fault(
    environment: Environment,
) -> None:
    cases = [{key: value for key, value in case.items() if key != "trust"} for case in _cases(environment)]
    own = Environment(environment.folder, {**environment.manifest, "cases": cases})
    assert cases_of(own) == cases_of(environment)
    lost = Environment(environment.folder, {**own.manifest, "cases": [{**cases[-1], "path": []}]})
    assert [path.stem for path in cases_of(lost)[0].anchors] == ["root"]


def test_a_self_signed_case_has_no_chain_and_no_crl(environment: Environment) -> None:
    lonely = {**_cases(environment)[0], "path": []}
    (case,) = cases_of(Environment(environment.folder, {**environment.manifest, "cases": [lonely]}))
    assert (case.chain, case.crls) == (None, ())


def test_certificates_that_are_not_for_servers_are_not_evaluated(tmp_path: Path) -> None:
    purposes = {
        "client": ["clientAuth"],
        "both": ["clientAuth", "serverAuth"],
        "any": ["any"],
    }
    document = {
        "name": "purposes",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {
            name: {"issuer": "root", "subject": {"CN": f"{name}.test"}, "extended_key_usage": is_server}
            for name, is_server in purposes.items()
        },
    }
    assert [subject.name for subject in subjects_of(build(document, tmp_path))] == ["both", "any"]


def test_a_violation_in_a_file_that_no_validator_reads_is_expected_of_none(tmp_path: Path) -> None:
    environment = build("vrops", tmp_path, BuildOptions(keys="pool"))
    detected_by = {subject.name: subject.spoils for subject in subjects_of(environment)}
    assert detected_by["vrops.one-file-no-key"] == ""
    assert detected_by["vrops.key-matches-other"] == "key"
    assert detected_by["vrops.no-sha1-sha1"] == "path"


def _cases(environment: Environment) -> list[dict[str, Any]]:
    return list(environment.manifest["cases"])
