"""Keys that nobody should have: each has the weakness that it is called after, and works all the same."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from math import gcd, isqrt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pkigen import build
from pkigen.errors import InputError
from pkigen.keys import PrivateKey, kind_of, load_private, public_key_info, rsa_primes, to_pkcs8
from pkigen.keys.kinds import UNSOUND, parse_kind
from pkigen.keys.sources import FreshKeys, SeededKeys

_FINGERPRINT_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
"""Primes for which powers of 65537 are few enough to tell keys of CVE-2017-15361 by."""


# PKCS#8 DER, SHA-256: whatever changes one of these breaks every fixture built from a seed.
_GOLDEN = {
    "rsa-2048-e3": "a091aa898e14c13498726e963a5cb097a41229ed1104d211640115cabfd7ccd3",
    "rsa-2048-e300bits": "112a83bb1cefe483179b54288614396586e3e898dc3660ef9924c5176871ac60",
    "rsa-2048-close-primes": "9ed245c5efd9f41c675cb6be4ef8d2cf8daebe4057beacca9be3041b4f407858",
    "rsa-2048-shared-prime": "c27afe2c04f7792df2243cf3624945e1a6b1db512fd9347549fa462d542e4904",
    "rsa-2048-roca": "616cc7ae142264e3d50e5b5d22a295b20b34c78eb858df0680b672cd59ed56df",
    "ec-p192": "a06d3e401d854ef197f5fea12671ce4e827f1f2597e0c8be01de66f673dd1d20",
    "ec-secp256k1": "ff1b7379bbd32df6026dea425010ff3f723ff2e899dfe4ad4db4d07b22b2e18c",
    "dsa-2048": "3cd91b4499e67175bac9bf2e0bed5776d0d28805a24fefea3e928f909af67659",
    "ml-kem-768": "d1df186c1e46c4fc1c2168aa76f35fb1716af1113b30de9cc6bb9d6321bca098",
    "slh-dsa-sha2-128f": "910e24d9d72815abd6711b3a6d0d495a8afe33124116dc824aff146788eb1451",
    "x25519": "d32ddfdc9a488442744523a85f3c008ea410418a90d9e81758df726aa70e379a",
}


def _numbers(kind: str, owner: str = "one") -> tuple[int, int]:
    key = SeededKeys("unsound").generate(parse_kind(kind), owner)
    assert isinstance(key, RSAPrivateKey)
    public = key.public_key().public_numbers()
    return public.n, public.e


@pytest.mark.parametrize("name", UNSOUND)
def test_a_key_is_of_its_kind_and_never_changes_for_a_seed(name: str) -> None:
    kind = parse_kind(name)
    first = SeededKeys("unsound").generate(kind, "one")
    assert sha256(to_pkcs8(first)).hexdigest() == _GOLDEN[name]
    assert to_pkcs8(first) != to_pkcs8(SeededKeys("unsound").generate(kind, "other"))
    assert kind_of(first).family == kind.family
    assert public_key_info(load_private(to_pkcs8(first))) == public_key_info(first)


def test_few_numbers_between_two_primes_are_tested_for_primality(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = list[int]()
    is_prime = rsa_primes.is_prime

    def counted(number: int) -> bool:
        tested.append(number)
        return is_prime(number)

    monkeypatch.setattr(rsa_primes, "is_prime", counted)
    start = 1 << 255 | 1
    end = rsa_primes.next_prime(start)
    assert is_prime(end)
    assert len(tested) < (end - start) // 2 * 0.4


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    "name", sorted({*UNSOUND} - {"ml-kem-768", "x25519", "slh-dsa-sha2-128f", "ec-p192"})
)
def test_openssl_signs_with_it_and_verifies(name: str, tmp_path: Path) -> None:
    _write(FreshKeys().generate(parse_kind(name), "one"), tmp_path / "key.der")
    (tmp_path / "data").write_bytes(b"data")
    _openssl(tmp_path, "pkey -inform DER -in key.der -out key.pem")
    _openssl(tmp_path, "pkey -in key.pem -pubout -out public.pem")
    _openssl(tmp_path, "dgst -sha256 -sign key.pem -out signature data")
    assert b"Verified OK" in _openssl(tmp_path, "dgst -sha256 -verify public.pem -signature signature data")


def _write(key: PrivateKey, path: Path) -> None:
    path.write_bytes(to_pkcs8(key))


def _openssl(folder: Path, command: str) -> bytes:
    return subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True, check=True).stdout


@pytest.mark.parametrize(("kind", "bits"), [("rsa-2048-e3", 2), ("rsa-2048-e300bits", 300)])
def test_exponents_have_the_declared_size(kind: str, bits: int) -> None:
    n, e = _numbers(kind)
    assert (n.bit_length(), e.bit_length()) == (2048, bits)


def test_fermats_method_factors_close_primes_at_once() -> None:
    n, _ = _numbers("rsa-2048-close-primes")
    a = isqrt(n) + 1
    b = isqrt(a * a - n)
    assert (a - b) * (a + b) == n


def test_two_keys_share_a_prime() -> None:
    one, other = (_numbers("rsa-2048-shared-prime", owner)[0] for owner in ("one", "other"))
    assert 1 < gcd(one, other) < one


def test_only_a_roca_key_has_the_fingerprint() -> None:
    assert _is_roca(_numbers("rsa-2048-roca")[0])
    assert not _is_roca(_numbers("rsa-2048-e3")[0])


def _is_roca(n: int) -> bool:
    return all(n % prime in {pow(65537, a, prime) for a in range(prime)} for prime in _FINGERPRINT_PRIMES)


def test_a_profile_can_request_an_unsound_key_only_through_a_fault(tmp_path: Path) -> None:
    authorities = {"root": {"key": "rsa-2048-e3"}}
    with pytest.raises(InputError, match="only faults have"):
        build({"name": "weak", "authorities": authorities}, tmp_path)
