"""Each validator on what all have to agree about, and on the parts that it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pkigen.matrix import (
    CAPABILITIES,
    PARTS,
    VALIDATORS,
    Capability,
    MatrixCase,
    Validator,
)
from pkigen.matrix.validator import Answer
from tests.matrix.tools import parameter

Cases = dict[str, MatrixCase]


BY_FILES = [one for one in VALIDATORS if "path" in one.looks_at and "tls" not in one.looks_at]
"""Those that fetch have tests of their own, and so have browsers and python-ssl, which validates no path."""
every_validator = pytest.mark.parametrize("validator", [*map(parameter, BY_FILES)])
NO_WILDCARDS = {"heimdal"}
NO_LOCKED_KEYS = {"go", "bearssl", "Mbed TLS 2"}
"""Mbed TLS 2.28 reads only those that are encrypted with older ciphers."""

REFUSED: dict[str, tuple[Capability, Callable[[Cases], MatrixCase]]] = {
    "expired": ("path", lambda cases: cases["sound.expired"]),
    "expired and for another host": (
        "path",
        lambda cases: replace(cases["sound.expired"], host="elsewhere.test"),
    ),
    "for another host": ("host", lambda cases: replace(cases["sound"], host="elsewhere.test")),
    "for another address": ("host", lambda cases: replace(cases["sound"], host="192.0.2.1")),
    "without its intermediate": ("path", lambda cases: replace(cases["sound"], chain=None)),
    "under a root that nobody trusts": (
        "path",
        lambda cases: replace(cases["sound"], anchors=cases["sound.ext-unknown-critical-root"].anchors),
    ),
    "with another's key": ("key", lambda cases: replace(cases["sound"], key=cases["revoked"].key)),
    "with a locked key and no passphrase": ("key", lambda cases: cases["locked"]),
    "with a certificate for its key": (
        "key",
        lambda cases: replace(cases["sound"], key=cases["sound"].certificate),
    ),
    "revoked": ("crl", lambda cases: cases["revoked"]),
    "with a certificate for a CRL": (
        "crl",
        lambda cases: replace(cases["sound"], crls=(cases["sound"].certificate,)),
    ),
}


JUNK = {"empty": b"", "html": b"<html>404</html>\n", "octets": b"\xff\xfe\0"}


def _judge(validator: Validator, case: MatrixCase) -> Answer:
    return validator.judge([case])[case.name]


@pytest.fixture(scope="module")
def judged(cases: Cases, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Validator, str], Answer]:
    """Return a validator's answer about a wrong case; each validator starts once for all of them."""
    wrong = {name: change(cases) for name, (_, change) in REFUSED.items()}
    for name, data in JUNK.items():
        junk = tmp_path_factory.mktemp("junk") / "junk"
        junk.write_bytes(data)
        wrong[f"{name} certificate"] = replace(cases["sound"], certificate=junk)
        wrong[f"{name} chain"] = replace(cases["sound"], chain=junk)
        wrong[f"{name} key"] = replace(cases["sound"], key=junk)
    named = [replace(case, name=name) for name, case in wrong.items()]
    answers = dict[str, dict[str, Answer]]()

    def answer(validator: Validator, name: str) -> Answer:
        if validator.name not in answers:
            answers[validator.name] = validator.judge(named)
        return answers[validator.name][name]

    return answer


@every_validator
def test_certificates_without_a_fault_are_accepted_part_by_part(
    validator: Validator, complete: MatrixCase
) -> None:
    answer = _judge(validator, complete)
    assert answer == Answer(True, "", {part: True if part in validator.looks_at else None for part in PARTS})


@every_validator
@pytest.mark.parametrize("wrong", REFUSED)
def test_faulty_certificates_are_rejected_with_a_reason(
    validator: Validator, cases: Cases, judged: Callable[[Validator, str], Answer], wrong: str
) -> None:
    sight, _ = REFUSED[wrong]
    part = CAPABILITIES[sight]
    answer = judged(validator, wrong)
    if sight not in validator.looks_at:
        assert answer.accepted
        assert answer.parts[part] is (True if part in validator.looks_at else None)
        return
    assert not answer.accepted
    assert [one for one, accepted in answer.parts.items() if accepted is False] == [part]
    assert answer.words.startswith(f"{part}: ")
    assert len(answer.words) > len(f"{part}: ")
    assert "\n" not in answer.words
    assert str(cases["sound"].certificate.parent) not in answer.words


@every_validator
def test_a_wildcard_is_tested_with_a_name_that_it_covers(validator: Validator, cases: Cases) -> None:
    assert cases["wildcard"].host == "host.contoso.test"
    assert _judge(validator, cases["wildcard"]).accepted is (validator.name not in NO_WILDCARDS)


@every_validator
def test_an_encrypted_key_is_decrypted_with_its_passphrase(
    validator: Validator, cases: Cases, tmp_path: Path
) -> None:
    path = tmp_path / "passphrase"
    path.write_text("geheim\n")
    answer = _judge(validator, replace(cases["locked"], passphrase=path))
    names = {validator.name, str(validator.version()).partition(".")[0]}
    opened = not names & NO_LOCKED_KEYS if "key" in validator.looks_at else None
    assert answer.parts["key"] is opened, answer.words


@every_validator
@pytest.mark.parametrize("wrong", ["junk", "the wrong passphrase"])
def test_a_pkcs12_file_that_cannot_be_decrypted_is_rejected(
    validator: Validator, complete: MatrixCase, passphrase: Path, tmp_path: Path, wrong: str
) -> None:
    case = complete
    if wrong == "junk":
        (tmp_path / "junk").write_bytes(b"\x30\x03\x02\x01\x03")
        case = replace(case, pkcs12=tmp_path / "junk")
    else:
        passphrase.write_text("changed\n")
    answer = _judge(validator, case)
    assert answer.parts["pkcs12"] is (False if "pkcs12" in validator.looks_at else None)


@every_validator
@pytest.mark.parametrize("file", ["certificate", "chain", "key"])
@pytest.mark.parametrize("data", JUNK)
def test_a_file_of_garbage_is_rejected(
    validator: Validator, judged: Callable[[Validator, str], Answer], file: str, data: str
) -> None:
    accepted = judged(validator, f"{data} {file}").accepted
    assert accepted is (file == "key" and "key" not in validator.looks_at)


@pytest.mark.needs("faketime")
@every_validator
def test_the_path_is_validated_at_the_time_of_the_case(validator: Validator, cases: Cases) -> None:
    case = replace(cases["sound"], at=cases["sound"].at + timedelta(days=3_000))
    assert _judge(validator, case).parts["path"] is False


@every_validator
def test_a_validator_has_name_and_version(validator: Validator) -> None:
    version = validator.version()
    assert version is not None
    assert any(character.isdigit() for character in version)


def test_a_missing_program_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    installed = {one.name for one in VALIDATORS if one.version() is not None}
    assert installed - {"pyhanko"} == {"pyca", "webpki", "python-ssl", "openssl-current"}
