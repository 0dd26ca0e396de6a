"""Files of x509-limbo's format as cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.matrix import (
    VALIDATORS,
    Column,
    MatrixCase,
    Subject,
    Validator,
    known_differences,
    subjects_of_limbo,
    survey,
)
from pkigen.matrix.validators.openssl import OpenSSL
from tests.inspection.path.hierarchies import issue
from tests.matrix.tools import parameter


def _testcase(case: MatrixCase, **fields: Any) -> dict[str, Any]:
    assert case.chain is not None
    assert case.key is not None
    return {
        "id": "ours::sound",
        "conflicts_with": [],
        "features": [],
        "importance": "high",
        "description": "Sound\nin every way.",
        "validation_kind": "SERVER",
        "trusted_certs": [path.read_text() for path in case.anchors],
        "untrusted_intermediates": [case.chain.read_text()],
        "peer_certificate": case.certificate.read_text(),
        "peer_certificate_key": case.key.read_text(),
        "validation_time": case.at.isoformat(),
        "signature_algorithms": [],
        "key_usage": [],
        "extended_key_usage": [],
        "expected_result": "SUCCESS",
        "expected_peer_name": {"kind": "DNS", "value": case.host},
        "expected_peer_names": [],
        "max_chain_depth": None,
        "crls": [],
        **fields,
    }


def _read(folder: Path, *testcases: dict[str, Any]) -> tuple[tuple[Subject, ...], int]:
    (folder / "limbo.json").write_text(json.dumps({"version": 1, "testcases": list(testcases)}))
    (folder / "cases").mkdir()
    return subjects_of_limbo(folder / "limbo.json", folder / "cases")


def test_a_server_becomes_a_case(cases: dict[str, MatrixCase], tmp_path: Path) -> None:
    sound = cases["sound"]
    ((subject,), passed) = _read(tmp_path, _testcase(sound))
    assert passed == 0
    assert subject.fault == "ours::sound"
    assert (subject.expected, subject.family, subject.says) == ("accept", "ours", "Sound in every way.")
    case = subject.case
    assert (case.name, case.host, case.at) == ("ours::sound", sound.host, sound.at)
    assert case.certificate.read_text() == sound.certificate.read_text()
    assert case.crls == ()
    assert not subject.revocation


def test_clients_and_servers_with_other_names_are_skipped(
    cases: dict[str, MatrixCase], tmp_path: Path
) -> None:
    sound = cases["sound"]
    client = _testcase(sound, validation_kind="CLIENT")
    named = _testcase(sound, expected_peer_name={"kind": "RFC822", "value": "a@contoso.test"})
    subjects, passed = _read(tmp_path, client, named, _testcase(sound))
    assert (len(subjects), passed) == (1, 2)


@pytest.mark.needs("openssl")
def test_the_key_does_not_influence_the_verdict(cases: dict[str, MatrixCase], tmp_path: Path) -> None:
    """Results are those of path validation, and many files contain one key for all cases, or none."""
    ((subject,), _) = _read(tmp_path, _testcase(cases["sound"], peer_certificate_key="not the key"))
    assert subject.case.key is None
    answer = OpenSSL("openssl").judge([subject.case])["ours::sound"]
    assert (answer.parts["path"], answer.parts["key"]) == (True, None)


@pytest.mark.needs("openssl")
def test_an_anchor_that_is_not_self_signed_ends_the_path(
    cases: dict[str, MatrixCase], tmp_path: Path
) -> None:
    chain = cases["sound"].chain
    assert chain is not None
    issuing = chain.read_text().partition("-----END CERTIFICATE-----\n")
    anchor = "".join(issuing[:2])
    trusted = _testcase(cases["sound"], trusted_certs=[anchor], untrusted_intermediates=[])
    ((subject,), _) = _read(tmp_path, trusted)
    assert subject.case.partial_chain
    for name, options in (("openssl", ()), ("openssl-strict", ("-x509_strict",))):
        answer = OpenSSL(name, options).judge([subject.case])["ours::sound"]
        assert answer.parts["path"], answer.words
    (tmp_path / "second").mkdir()
    ((whole,), _) = _read(tmp_path / "second", _testcase(cases["sound"]))
    assert not whole.case.partial_chain


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"expected_result": "FAILURE"}, "reject"),
        ({"expected_result": "FAILURE", "features": ["pedantic-webpki"]}, "varies"),
        ({"expected_result": "FAILURE", "features": ["has-crl"], "crls": ["x"]}, "reject"),
        ({"features": ["has-crl"], "crls": ["x"]}, "varies"),
    ],
)
def test_the_expected_verdict_is_that_of_the_file_or_varies(
    cases: dict[str, MatrixCase], tmp_path: Path, fields: dict[str, Any], expected: str
) -> None:
    ((subject,), _) = _read(tmp_path, _testcase(cases["sound"], **fields))
    assert subject.expected == expected


def _of_anchor(case: MatrixCase, anchor: str, **fields: Any) -> dict[str, Any]:
    return _testcase(case, trusted_certs=[anchor], untrusted_intermediates=[], **fields)


_OF_FILES = [parameter(one) for one in VALIDATORS if "path" in one.looks_at and "tls" not in one.looks_at]
"""Browsers get a path from a server, with their own trust anchors."""


@pytest.mark.parametrize("validator", _OF_FILES)
def test_every_validator_ends_the_path_at_an_anchor_that_is_no_root(
    validator: Validator, cases: dict[str, MatrixCase], tmp_path: Path
) -> None:
    """Whatever rejects such a path has its reason; none of them takes another anchor for the issuer."""
    version = validator.version() or ""
    sound, end = cases["sound"], "-----END CERTIFICATE-----\n"
    assert sound.chain is not None
    issuing = "".join(sound.chain.read_text().partition(end)[:2])
    foreign = issue("Foreign", issue("Foreign Root", ca=True), ca=True).der
    other = pem.encode("CERTIFICATE", foreign).decode()
    subjects, _ = _read(
        tmp_path,
        _of_anchor(sound, issuing, id="anchors::right", description="right (no fault)"),
        _of_anchor(sound, other, id="anchors::other", expected_result="FAILURE"),
    )
    assert [one.case.partial_chain for one in subjects] == [True, True]
    matrix = survey(subjects, [Column(validator, version, version)], known_differences(), complete=False)
    assert [(one.name, cell.words) for one, _, cell in matrix.unexplained] == []
    ((_, (right,)), (_, (rejected,))) = matrix.rows
    assert (right.word == "accept") is (validator.name not in _ONLY_ROOTS), right.words
    assert rejected.word == "refuse"


_ONLY_ROOTS = {"botan", "erlang", "mono"}


def test_a_description_states_the_fault_and_its_stage(cases: dict[str, MatrixCase], tmp_path: Path) -> None:
    names = {
        "Old (CA). (expired, 4.1.2.5 (d); stage: path)": ("expired", "path"),
        "Another host. (san-wrong-host+cn-65, RFC 9525; stage: name)": ("san-wrong-host+cn-65", "host"),
        "Pass. (unique-ids, 4.1.2.8)": ("unique-ids", "path"),
        "retired: its CRL lists it. (no fault; stage: revocation)": ("", "path"),
        "sensor. (no fault)": ("", "path"),
        "Of another suite (see above)": ("ours::sound", "path"),
    }
    sound = cases["sound"]
    subjects, _ = _read(tmp_path, *(_testcase(sound, description=text) for text in names))
    assert [(one.fault, one.spoils) for one in subjects] == list(names.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("\xff", "is not JSON"),
        ("[]", "is no limbo file of version 1"),
        ('{"version": 2, "testcases": []}', "version"),
        ('{"version": 1, "testcases": [{"id": "../x"}]}', "testcases.0.id"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "limbo.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        subjects_of_limbo(tmp_path / "limbo.json", tmp_path)
