"""Negative cases of authorities: a copy of the CA, in the path of a copied certificate, violates the set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pkigen.environment.build.build import build as build_environment
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, check_environment
from pkigen.profile import load
from pkigen.requirements import load_set
from tests.environment.profiles import build_it, manifest

SET = """
name: plant
title: Plant network
source: {title: Plant handbook, date: "2026"}
roles:
  device: {says: A device}
  ca: {says: The issuing CA, authority: true}
  root: {says: The root, authority: true}
requirements:
  - id: ca-flag
    demand: {basic_constraints: {ca: true, critical: true}}
    for: [ca, root]
    level: rejected
    says: cA is TRUE.
  - id: name
    demand: {subject_attribute: {type: CN, one_of: [Plant CA, Plant Root]}}
    for: [ca, root]
    level: rejected
    says: The common name is one of two.
  - id: root-life
    demand: {validity: {maximum: 3000d}}
    for: root
    level: rejected
    says: A root is valid for at most 3,000 days.
  - id: key
    demand: {public_key: {families: [ec]}}
    for: device
    level: rejected
    says: The key is an elliptic curve key.
"""


def _document(folder: Path) -> dict[str, Any]:
    path = folder / "plant.yaml"
    path.write_text(SET)
    against = {role: {"set": str(path), "role": role} for role in ("device", "ca", "root")}
    return {
        "name": "plant-1",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"subject": {"CN": "Plant Root"}, "valid": {"for": "2000d"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Plant CA"}},
        },
        "certificates": {"a": {"issuer": "issuing"}, "b": {"issuer": "issuing"}},
        "negatives": [
            {"of": "root", "against": against["root"]},
            {"of": "issuing", "against": against["ca"]},
            {"of": "b", "against": against["device"]},
        ],
    }


def test_a_case_of_an_authority_violates_the_requirements_of_its_role_alone(tmp_path: Path) -> None:
    folder = build_it(_document(tmp_path), tmp_path / "out").folder
    roles = ("root", "ca", "device")
    sets = [load_set(f"{tmp_path}/plant.yaml:{role}") for role in roles]
    results = {one.name: one for one in check_environment(folder, sets, CheckOptions())}
    broken = {name: sorted(f.requirement.id for f in one.broken) for name, one in results.items()}
    cases = {case["name"]: case["fault"] for case in manifest(folder)["cases"] if "fault" in case}
    assert {name: broken[name] for name in cases} == {name: one["violates"] for name, one in cases.items()}
    assert {one["authority"]: one["against"] for one in cases.values() if "authority" in one} == {
        "root": "plant:root",
        "issuing": "plant:ca",
    }
    assert {"a.root.root-life-too-long", "a.issuing.name-other-value", "b.key-rsa-2048"} <= set(cases)


def test_the_files_of_an_authority_are_not_changed(tmp_path: Path) -> None:
    document = _document(tmp_path)
    (tmp_path / "plant.yaml").write_text(
        SET
        + """
  - id: ca-file
    demand: {certificate_file: {encodings: [PEM]}}
    for: [ca, root]
    level: rejected
    says: The file is PEM.
"""
    )
    folder = build_it(document, tmp_path / "out").folder
    assert not [case for case in manifest(folder)["cases"] if "ca-file" in case["name"]]
    assert build_it(document, tmp_path / "out").summary.changes == []


def test_the_copied_authority_has_the_defect_and_issues_the_certificate(tmp_path: Path) -> None:
    folder = build_it(_document(tmp_path), tmp_path / "out").folder
    (chain,) = folder.glob("certificates/a.root.root-life-*/chain.pem")
    issuing, root = x509.load_pem_x509_certificates(chain.read_bytes())
    assert (root.not_valid_after_utc - root.not_valid_before_utc).days >= 3000
    issuing.verify_directly_issued_by(root)
    leaf = x509.load_pem_x509_certificate(next(chain.parent.glob("*.crt")).read_bytes())
    leaf.verify_directly_issued_by(issuing)


@pytest.mark.parametrize(
    ("negative", "words"),
    [
        ({"of": "issuing", "role": "device"}, "the role 'device' is for end-entity certificates"),
        ({"of": "a", "role": "ca"}, "the role 'ca' is for authorities"),
        ({"of": "isuing", "role": "ca"}, "did you mean 'issuing'"),
    ],
)
def test_a_role_that_does_not_fit_is_an_error_with_its_line(
    negative: dict[str, str], words: str, tmp_path: Path
) -> None:
    document = _document(tmp_path)
    against = {"set": str(tmp_path / "plant.yaml"), "role": negative["role"]}
    document["negatives"] = [{"of": negative["of"], "against": against}]
    with pytest.raises(InputError, match=words):
        build_it(document, tmp_path / "out")


def test_faults_of_the_catalog_for_an_authority_are_an_error(tmp_path: Path) -> None:
    document = {**_document(tmp_path), "negatives": [{"of": "issuing", "faults": ["expired"]}]}
    with pytest.raises(InputError, match="'issuing' is an authority"):
        build_it(document, tmp_path / "out")


def test_an_authority_without_certificates_below_it_is_an_error(tmp_path: Path) -> None:
    document = _document(tmp_path)
    document["authorities"]["spare"] = {"issuer": "root", "subject": {"CN": "Plant CA"}}
    document["negatives"] = [{"of": "spare", "against": {"set": str(tmp_path / "plant.yaml"), "role": "ca"}}]
    with pytest.raises(InputError, match="no certificate without a fault is issued below"):
        build_it(document, tmp_path / "out")


def test_an_authority_that_violates_the_set_of_its_cases_is_an_error(tmp_path: Path) -> None:
    document = _document(tmp_path)
    document["authorities"]["root"]["valid"] = {"for": "3650d"}
    with pytest.raises(InputError, match="at most 3,000 days"):
        build_it(document, tmp_path / "out")


def test_check_finds_the_sets_of_a_profile_in_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _document(tmp_path)
    (tmp_path / "profile").mkdir()
    (tmp_path / "plant.yaml").rename(tmp_path / "profile" / "plant.yaml")
    for negative in document["negatives"]:
        negative["against"]["set"] = "plant.yaml"
    document["certificates"]["a"]["requirements"] = [{"set": "plant.yaml", "role": "device"}]
    profile = tmp_path / "profile" / "plant-1.yaml"
    profile.write_text(json.dumps(document))
    folder = build_environment(load(profile), tmp_path / "out", BuildOptions()).folder
    monkeypatch.chdir(tmp_path)
    results = list(check_environment(folder, None, CheckOptions()))
    assert all(one.as_expected for one in results)
    assert sum(one.expected is not None for one in results) == len(manifest(folder)["cases"]) - 2
    (tmp_path / "profile" / "plant.yaml").unlink()
    with pytest.raises(InputError, match="--against"):
        list(check_environment(folder, None, CheckOptions()))
