"""RSA keys from pkigen's prime search: from a seed, and of sizes that OpenSSL refuses to generate.

Follows the conditions of FIPS 186-5, A.1.3 (the top bits set, e coprime, p and q apart), but not its
sources of randomness: a key from a seed is a test fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import gcd, lcm

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

from pkigen.keys.entropy import Entropy

_EXPONENT = 65537
_SIEVE_LIMIT = 20_000
_ROUNDS = ((1024, 6), (512, 12), (0, 28))
"""Miller-Rabin rounds by minimum number of bits of a prime (at least as in FIPS 186-5, table B.1)."""


def generate(size: int, entropy: Entropy, *labels: str) -> RSAPrivateKey:
    """Return a key of ``size`` bits, as a pure function of the entropy."""
    first_bits = (size + 1) // 2
    p = prime(first_bits, entropy, *labels, "p")
    for attempt in range(1000):
        q = prime(size - first_bits, entropy, *labels, f"q{attempt}")
        if abs(p - q) >> max(size // 2 - 100, 1):
            return key(max(p, q), min(p, q))
    raise AssertionError("no two primes far enough apart")


def key(p: int, q: int, exponent: int = _EXPONENT) -> RSAPrivateKey:
    """Return the key of two primes; do not check the primes."""
    d = pow(exponent, -1, lcm(p - 1, q - 1))
    numbers = RSAPrivateNumbers(
        p,
        q,
        d,
        rsa_crt_dmp1(d, p),
        rsa_crt_dmq1(d, q),
        rsa_crt_iqmp(p, q),
        RSAPublicNumbers(exponent, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def prime(bits: int, entropy: Entropy, *labels: str, exponent: int = _EXPONENT) -> int:
    """Return the first suitable prime at or after a drawn start; its top two bits are set."""
    window = bits * 8
    for attempt in range(1000):
        start = int.from_bytes(entropy.read((bits + 7) // 8, *labels, str(attempt)), "big")
        start &= (1 << bits) - 1
        start |= 3 << (bits - 2) | 1
        for candidate in _unsieved(start, window):
            if candidate.bit_length() > bits:
                break
            if gcd(candidate - 1, exponent) == 1 and is_prime(candidate):
                return candidate
    raise AssertionError("no prime found")


def next_prime(start: int) -> int:
    """Return the first prime at or after an odd number that suits the usual exponent."""
    window = start.bit_length() * 8
    while True:
        for candidate in _unsieved(start, window):
            if gcd(candidate - 1, _EXPONENT) == 1 and is_prime(candidate):
                return candidate
        start += 2 * window


def first_primes(count: int) -> tuple[int, ...]:
    """Return the first ``count`` primes, at most about two thousand."""
    return (2, *_small_primes()[: count - 1])


def _unsieved(start: int, window: int) -> Iterator[int]:
    """Yield the odd numbers in ``window`` numbers from ``start`` that no small prime divides."""
    composite = bytearray(window)
    for prime in _small_primes():
        if prime >= start:
            break
        # start + 2 * offset = 0 (mod prime)
        offset = -start * ((prime + 1) // 2) % prime
        composite[offset::prime] = b"\x01" * len(range(offset, window, prime))
    return (start + 2 * offset for offset in range(window) if not composite[offset])


def is_prime(candidate: int) -> bool:
    """Run Miller-Rabin with the first primes as bases, for an odd candidate that was drawn at random."""
    odd, twos = candidate - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    rounds = next(count for bits, count in _ROUNDS if candidate.bit_length() >= bits)
    return all(_passes(candidate, base, odd, twos) for base in (2, *_small_primes()[: rounds - 1]))


def _passes(candidate: int, base: int, odd: int, twos: int) -> bool:
    value = pow(base, odd, candidate)
    if value in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        value = value * value % candidate
        if value == candidate - 1:
            return True
    return False


@cache
def _small_primes() -> tuple[int, ...]:
    """Return the odd primes below _SIEVE_LIMIT."""
    sieve = bytearray([1]) * _SIEVE_LIMIT
    for number in range(3, int(_SIEVE_LIMIT**0.5) + 1, 2):
        if sieve[number]:
            sieve[number * number :: 2 * number] = bytes(
                len(range(number * number, _SIEVE_LIMIT, 2 * number))
            )
    return tuple(number for number in range(3, _SIEVE_LIMIT, 2) if sieve[number])
