"""Private keys with numbers of any size: the time to read them is limited."""

from __future__ import annotations

import pytest

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.inspection.artifacts import Kind, read
from pkigen.keys import private_key_info


def number(bits: int) -> bytes:
    return der.integer(2**bits - 1)


def rsa(bits: int, *more_primes: bytes) -> bytes:
    half = bits // 2
    numbers = map(number, (bits, 17, bits, half, half, half, half, half))
    return der.sequence(der.integer(bool(more_primes)), *numbers, *more_primes)


def dsa(modulus: int, exponent: int) -> bytes:
    return der.sequence(der.integer(0), *map(number, (modulus, 256, modulus, modulus, exponent)))


def diffie_hellman(oid: str, bits: int) -> bytes:
    parameters = der.sequence(number(bits), der.integer(2), number(bits))
    algorithm = der.sequence(der.oid(oid), parameters)
    return der.sequence(der.integer(0), algorithm, der.octet_string(number(bits)))


PRIME = der.sequence(*[der.integer(3)] * 3)
TOO_LARGE = [
    ("RSA PRIVATE KEY", rsa(40_000), "the private key has 22,5"),
    ("RSA PRIVATE KEY", rsa(2048, der.sequence(*[PRIME] * 5000)), "the private key has 56,"),
    ("DSA PRIVATE KEY", dsa(4104, 256), "p of the DSA key has 4,104 bits; the limit is 4,096"),
    ("DSA PRIVATE KEY", dsa(2048, 2048), "x of the DSA key has 2,048 bits; the limit is 512"),
]


@pytest.mark.parametrize(("label", "data", "problem"), TOO_LARGE)
def test_a_number_whose_arithmetic_takes_long_is_not_used(
    label: str, data: bytes, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_key_info, "load_pkcs8", None)
    (key,) = read(pem.encode(label, data), "large.key")
    assert key.kind is Kind.KEY
    assert key.problem.startswith(problem)
    assert "; the limit is " in key.problem


@pytest.mark.parametrize("oid", ["1.2.840.113549.1.3.1", "1.2.840.10046.2.1"])
def test_the_public_key_of_diffie_hellman_is_not_computed(oid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_key_info, "load_pkcs8", None)
    (key,) = read(pem.encode("PRIVATE KEY", diffie_hellman(oid, 20_000)), "dh.key")
    assert (key.kind, key.problem) == (Kind.KEY, "")


def test_a_dsa_key_of_ordinary_size_is_read() -> None:
    (key,) = read(pem.encode("DSA PRIVATE KEY", dsa(4096, 256)), "dsa.key")
    assert key.key is not None
    assert key.key.public is not None
    assert (key.problem, key.key.public.name) == ("", "dsa")
