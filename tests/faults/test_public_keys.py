"""Faulty public keys and their key files, as openssl and the parser of cryptography see them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from pkigen.faults.observed import observed
from tests.faults.judging import case_of
from tests.tools import run

MATCHING = ("key-rsa-e1", "key-ec-compressed", "key-rsa-pss-spki-bound")
WITHOUT_PRIVATE_KEY = (
    *("key-rsa-e-even", "key-rsa-n-even", "key-rsa-n-negative", "key-spki-garbage"),
    *("key-ec-off-curve", "key-ec-infinity", "key-mldsa-bad-length", "key-rsa-16384", "key-rsa-debian"),
)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", MATCHING)
def test_the_key_file_has_the_public_key_of_the_certificate_byte_for_byte(
    catalogue: Environment, fault: str
) -> None:
    files = {kind: catalogue.folder / path for kind, path in case_of(catalogue, fault)["files"].items()}
    public = run("openssl", "pkey", "-in", files["key"], "-pubout")
    assert public == run("openssl", "x509", "-noout", "-pubkey", "-in", files["certificate"])


@pytest.mark.needs("openssl")
def test_the_private_exponent_of_exponent_one_is_one(catalogue: Environment) -> None:
    key = catalogue.folder / case_of(catalogue, "key-rsa-e1")["files"]["key"]
    lines = run("openssl", "pkey", "-in", key, "-noout", "-text").splitlines()
    exponents = {line for line in lines if "xponent" in line}
    names = ("publicExponent", "privateExponent", "exponent1", "exponent2")
    assert exponents == {f"{name}: 1 (0x1)" for name in names}


@pytest.mark.parametrize("fault", WITHOUT_PRIVATE_KEY)
def test_a_public_key_without_a_private_key_comes_with_a_sound_key_file(
    catalogue: Environment, fault: str
) -> None:
    case = case_of(catalogue, fault)
    load_pem_private_key((catalogue.folder / case["files"]["key"]).read_bytes(), None)
    assert "key file" in FAULTS[fault].shows.replace("\n", " ")


def test_rejections_of_the_key_file_alone_say_so() -> None:
    assert "openssl (key file)" in observed("key-rsa-n-even", "refuse")
    assert "openssl (key file)" in observed("key-rsa-debian", "refuse")
    assert "go" in observed("key-ec-compressed", "refuse")
