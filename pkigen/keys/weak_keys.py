"""Insecure private keys for tests: weak, badly chosen, or of a kind that servers do not use.

Each key works: its signatures verify, and it decrypts correctly.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from cryptography.hazmat.primitives.asymmetric import dsa, ec, mlkem, x25519

from pkigen.keys import PrivateKey, rsa_primes
from pkigen.keys.entropy import Entropy, SeededEntropy
from pkigen.keys.kinds import KeyKind
from pkigen.keys.slh_dsa import SEED_SIZE, SlhDsaPrivateKey

_EXPONENT = 65537
_HUGE_EXPONENT_BITS = 300
_ROCA_PRIMES = 126
"""Number of primes that the library of CVE-2017-15361 multiplies for a prime of 1024 bits."""
_DSA_P = int(
    "84E699A41A6CE01FB9E2F8C4E55E383BDE6FD34C13EFB6E185A788BABD8774C4A4673FB523D54B4DCE63F755B6E8E778"
    "C571BDDECCEE01F58DDC204EA86D8F7EEC4A69A240B7AF3CFB9F6733850BDF9D50DADC806411B6730507EB77F5F43610"
    "4191D791FA46104B7A9F213BEC0106B023605EF17BC33E5F2A41EB2C88BBD91D7D1CC49C8BB4A3B556BFD71BED307349"
    "C2AE0FF00E5A85D0C48A422DDC4167F360807C07339D7881146369B2DF1E074786849D951940E3BC56EB5BFAB48F5647"
    "2C7239297A37281CFC061C9C9700D051BADEBDAD6B1660AD32AC1B4B366E75F1175442CEA82BE34BFE6DED2223376047"
    "09860B3C53ACBAB0A6107A1E1A395D69",
    16,
)
_DSA_Q = int("DB58E04EB852CF067F26F2108A53657AAE23C41B28F0083740A567531AF4B7F3", 16)
_DSA_G = int(
    "3249112B3F4FAFCA1D97127F4CEAD7C4F434F8AEFCC0F33F41C6F327E2110B2C06B9535A8B1282A86FD641EA93C4E868"
    "915BFCD314E88A8D4AB03CDE42349E1CBD31806263943039074A6714F703FC0293A5898687821CAD6816BEA0E8D75A52"
    "10671FA777286DC144D7BE248D2481A861281F38A1A5689715C6CB0CB6AC608C83239542E505EB25461D1209C84C1B64"
    "5DF37646CBC1B344A236F04B4B25F036281E8C8820F891839DEDF255F71D7F4AA5A952D1F16DA2B9C360E6D9D75897A9"
    "148A424E2FE9C8D8DEC0DD31F01217D204358B89D36E2FDBBCD5A96DBA1EED5C8D489E56F978D8A285FF4365101E991F"
    "88EAA51BEF4379DD1BCA99EF1ADA2271",
    16,
)
"""A 2048-bit DSA domain with a 256-bit q (FIPS 186-4, 4.2), shared by all keys of the kind."""


def generate(kind: KeyKind, entropy: Entropy, *labels: str) -> PrivateKey:
    """Return a key of a kind in ``kinds.UNSOUND``."""
    if kind.family == "ec":
        return _on_curve(kind, entropy, labels)
    return _MAKERS[kind.name](entropy, labels)


def _exponent_3(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    return _from_two_primes(entropy, labels, 3)


def _exponent_huge(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    drawn = int.from_bytes(entropy.read(_HUGE_EXPONENT_BITS // 8, *labels, "e"), "big")
    return _from_two_primes(entropy, labels, 1 << (_HUGE_EXPONENT_BITS - 1) | drawn >> 8 | 1)


def _from_two_primes(entropy: Entropy, labels: tuple[str, ...], exponent: int) -> PrivateKey:
    p, q = (rsa_primes.prime(1024, entropy, *labels, part, exponent=exponent) for part in ("p", "q"))
    return rsa_primes.key(p, q, exponent)


def _close_primes(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    """Return a key whose second prime is the next one after the first: Fermat's method finds both at once."""
    p = rsa_primes.prime(1024, entropy, *labels, "p")
    return rsa_primes.key(p, rsa_primes.next_prime(p + 2), _EXPONENT)


def _shared_prime(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    """Return a key with a prime that all keys of this kind share: the GCD of two moduli reveals it."""
    shared = rsa_primes.prime(1024, SeededEntropy("the prime that all of these keys share"))
    return rsa_primes.key(shared, rsa_primes.prime(1024, entropy, *labels, "q"), _EXPONENT)


def _roca(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    """Return a key with primes k * M + (65537 ** a mod M), as in CVE-2017-15361."""
    p, q = (_roca_prime(entropy, (*labels, part)) for part in ("p", "q"))
    return rsa_primes.key(p, q, _EXPONENT)


def _roca_prime(entropy: Entropy, labels: tuple[str, ...]) -> int:
    primorial = prod(rsa_primes.first_primes(_ROCA_PRIMES))
    low = (3 << 1022) // primorial + 1
    room = (1 << 1024) // primorial - low
    for attempt in range(100_000):
        drawn = int.from_bytes(entropy.read(24, *labels, str(attempt)), "big")
        power = pow(_EXPONENT, drawn & 0xFFFFFFFFFFFF, primorial)
        candidate = (low + (drawn >> 48) % room) * primorial + power
        if (candidate - 1) % _EXPONENT and rsa_primes.is_prime(candidate):
            return candidate
    raise AssertionError("no prime found")


def _on_curve(kind: KeyKind, entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    """Draw eight bytes more than the order has and reduce them modulo the order (FIPS 186-5, A.2.1)."""
    drawn = int.from_bytes(entropy.read(kind.order.bit_length() // 8 + 8, *labels), "big")
    return ec.derive_private_key(drawn % (kind.order - 1) + 1, getattr(ec, kind.curve)())


def _dsa(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    x = int.from_bytes(entropy.read(40, *labels), "big") % (_DSA_Q - 1) + 1
    domain = dsa.DSAParameterNumbers(_DSA_P, _DSA_Q, _DSA_G)
    return dsa.DSAPrivateNumbers(x, dsa.DSAPublicNumbers(pow(_DSA_G, x, _DSA_P), domain)).private_key()


def _ml_kem(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(entropy.read(64, *labels))


def _x25519(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    return x25519.X25519PrivateKey.from_private_bytes(entropy.read(32, *labels))


def _slh_dsa(entropy: Entropy, labels: tuple[str, ...]) -> PrivateKey:
    return SlhDsaPrivateKey.from_seed_bytes(entropy.read(SEED_SIZE, *labels))


_MAKERS: dict[str, Callable[[Entropy, tuple[str, ...]], PrivateKey]] = {
    "rsa-2048-e3": _exponent_3,
    "rsa-2048-e300bits": _exponent_huge,
    "rsa-2048-close-primes": _close_primes,
    "rsa-2048-shared-prime": _shared_prime,
    "rsa-2048-roca": _roca,
    "dsa-2048": _dsa,
    "ml-kem-768": _ml_kem,
    "x25519": _x25519,
    "slh-dsa-sha2-128f": _slh_dsa,
}
