"""Validators that fetch CRLs and OCSP answers, against the stub as their proxy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.matrix import VALIDATORS, Subject, Validator, subjects_of
from pkigen.matrix.validator import Answer
from pkigen.serve import serve_as_proxy
from tests.matrix.tools import TOOLS, parameter

# Nobody answers at its base_url: what is fetched comes through the proxy.
PROFILE = {
    "name": "online",
    "base_url": "http://crl.contoso.test",
    "defaults": {"key": "rsa-2048"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {"sound": {"issuer": "issuing", "subject": {"CN": "sound.contoso.test"}}},
    "negatives": [
        {
            "of": "sound",
            "faults": [
                "revoked",
                "crl-http-404",
                "crl-redirect",
                "cdp-unreachable",
                "ocsp-good",
                "ocsp-revoked",
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("online"))


@pytest.fixture(scope="module")
def subjects(online: Environment) -> Iterator[dict[str, Subject]]:
    at = datetime.fromisoformat(online.manifest["clock"])
    with serve_as_proxy(online.folder, at=at) as address:
        subjects = subjects_of(online, address)
        yield {subject.name.removeprefix("sound."): subject for subject in subjects}


def _column(name: str) -> object:
    (validator,) = (one for one in VALIDATORS if one.name == name)
    return parameter(validator)


def _judge(validator: Validator, subject: Subject) -> Answer:
    return validator.judge([subject.case])[subject.name]


@pytest.mark.needs(*TOOLS["java-crldp"])
def test_java_fetches_crls_from_the_urls_of_the_certificates(subjects: dict[str, Subject]) -> None:
    (java,) = (one for one in VALIDATORS if one.name == "java-crldp")
    answers = {
        name: _judge(java, subjects[name]) for name in ("sound", "revoked", "crl-http-404", "crl-redirect")
    }
    assert {name: one.parts["crl"] for name, one in answers.items()} == {
        "sound": True,
        "revoked": False,
        "crl-http-404": False,
        "crl-redirect": True,
    }
    assert "crl: Certificate has been revoked" in answers["revoked"].words


@pytest.mark.needs(*TOOLS["java-crldp"])
def test_the_proxy_leads_to_no_other_server(subjects: dict[str, Subject]) -> None:
    (java,) = (one for one in VALIDATORS if one.name == "java-crldp")
    assert "502" in _judge(java, subjects["cdp-unreachable"]).words
    with httpx.Client(proxy=f"http://{subjects['sound'].case.proxy}") as client:
        assert client.get("http://crl.contoso.test/crl/issuing.crl").status_code == 200
        assert client.get("http://crl.contoso.test:80/crl/issuing.crl").status_code == 200
        assert client.get("http://crl.contoso.test:8080/crl/issuing.crl").status_code == 502
        assert client.get("http://other.contoso.test/crl/issuing.crl").status_code == 502


@pytest.mark.parametrize("validator", [_column("java-ocsp"), _column("openssl-ocsp")])
def test_an_ocsp_response_is_requested(validator: Validator, subjects: dict[str, Subject]) -> None:
    assert _judge(validator, subjects["ocsp-good"]).parts["ocsp"] is True
    answer = _judge(validator, subjects["ocsp-revoked"])
    assert answer.parts["ocsp"] is False
    assert "revoked" in answer.words


@pytest.mark.parametrize("validator", [_column("openssl-ocsp")])
def test_times_are_those_of_the_case(validator: Validator, subjects: dict[str, Subject]) -> None:
    good = subjects["ocsp-good"]
    later = replace(good, case=replace(good.case, at=good.case.at.replace(year=good.case.at.year + 1)))
    assert "Status times invalid" in _judge(validator, later).words


def test_the_faulty_part_follows_from_family_and_stage(subjects: dict[str, Subject]) -> None:
    assert {name: subject.spoils for name, subject in subjects.items()} == {
        "sound": "path",
        "revoked": "crl",
        "crl-http-404": "fetching",
        "crl-redirect": "fetching",
        "cdp-unreachable": "fetching",
        "ocsp-good": "ocsp",
        "ocsp-revoked": "ocsp",
    }


def test_an_encrypted_key_without_its_passphrase_is_given_to_no_validator(tmp_path: Path) -> None:
    document = {
        "name": "locked",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"one": {"issuer": "root", "subject": {"CN": "one.test"}, "passphrase": "geheim"}},
    }
    (subject,) = subjects_of(build(document, tmp_path))
    assert subject.case.key is None
