"""Private keys in files: format, encryption, and the key itself if a passphrase decrypts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import mul

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.formats.kdf_budget import KdfBudget
from pkigen.formats.pem import Block
from pkigen.formats.read import ENCRYPTED, open_block
from pkigen.keys.private_key_info import public_key_info
from pkigen.x509 import Malformed, PublicKey
from pkigen.x509.decode import decoder
from pkigen.x509.public_key import public_key

NOT_GIVEN = "it is encrypted, and no passphrase was given"

_FORMATS = {
    "PRIVATE KEY": "PKCS#8",
    ENCRYPTED: "PKCS#8",
    "RSA PRIVATE KEY": "PKCS#1",
    "EC PRIVATE KEY": "SEC 1",
    "DSA PRIVATE KEY": "traditional DSA",
    "OPENSSH PRIVATE KEY": "OpenSSH",
}
_RSA_MULTI_PRIME = 1


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key in a file.

    ``format`` is PKCS#8, PKCS#1, SEC 1, OpenSSH, PKCS#12, JKS, or the PEM label. ``pkcs8`` is the key in DER,
    not encrypted; None if no passphrase decrypted it. ``passphrase`` is the one that did. ``public`` is None
    if the public key is unknown. ``problem`` is the reason why the key was not read. ``unsound`` describes
    inconsistent numbers of an RSA key.
    """

    format: str
    encrypted: bool
    pkcs8: bytes | None = field(default=None, repr=False)
    passphrase: bytes | None = field(default=None, repr=False)
    public: PublicKey | None = None
    problem: str = ""
    unsound: str = ""


def is_key_label(label: str) -> bool:
    """Return whether a PEM label is one of a private key."""
    return label.endswith("PRIVATE KEY")


def open_key(
    block: Block, passphrases: Sequence[bytes | None] = (), budget: KdfBudget | None = None
) -> KeyFile:
    """Read the key in a PEM block, or in DER as a block with a private key's label.

    Tries every passphrase on an encrypted key; others need none. ``budget`` limits the key derivation for the
    whole file.
    """
    budget = budget or KdfBudget()
    label = block.label
    encrypted = label == ENCRYPTED or any("ENCRYPTED" in value for _, value in block.headers)
    key_format = _FORMATS.get(label, label)
    if label == "OPENSSH PRIVATE KEY":
        advice = "convert a copy of it: ssh-keygen -p -m PKCS8 -f FILE"
        problem = f"OpenSSH's own key format is not supported; {advice}"
        return KeyFile(key_format, b"bcrypt" in block.data[:200], problem=problem)
    problem = "" if passphrases or not encrypted else NOT_GIVEN
    for passphrase in passphrases if encrypted else (None,):
        try:
            pkcs8 = open_block(block, passphrase, budget)
            info = public_key_info(pkcs8)
            public = None if info is None else public_key(info)
            unsound = _unsound(pkcs8)
        except (InputError, Malformed) as error:
            problem = problem or str(error)
            continue
        return KeyFile(key_format, encrypted, pkcs8, passphrase, public, unsound=unsound)
    return KeyFile(key_format, encrypted, problem=problem)


@decoder("the RSA key")
def _unsound(pkcs8: bytes) -> str:
    """Return which numbers of an RSA key are inconsistent (RFC 8017, 3.2); "" for other keys."""
    _, algorithm, key = der.children(pkcs8)
    if not der.dotted(der.children(algorithm)[0]).startswith("1.2.840.113549.1.1."):
        return ""
    fields = der.children(der.contents(key))
    version, n, e, d, p, q, dp, dq, inverse = map(_integer, fields[:9])
    primes = [p, q]
    if version == _RSA_MULTI_PRIME and len(fields) > 9:
        primes += [_integer(der.children(one)[0]) for one in der.children(fields[9])]
    if min(primes) < 2 or reduce(mul, primes) != n:
        return "the modulus is not the product of the primes"
    if any((d * e - 1) % (prime - 1) for prime in primes):
        return "the private exponent does not match the public one"
    if d % (p - 1) != dp or d % (q - 1) != dq or inverse * q % p != 1:
        return "the numbers for the Chinese remainder theorem do not match the primes"
    return ""


def _integer(data: bytes) -> int:
    return int.from_bytes(der.contents(data), "big")
