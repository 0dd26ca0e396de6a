"""Private keys in files: format, encryption, and the key itself where a passphrase opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.pem import Block
from pkigen.formats.read import read_private_key
from pkigen.inspection.artifacts.kdf_limits import KdfBudget
from pkigen.x509 import Malformed, PublicKey
from pkigen.x509.public_key import public_key

_FORMATS = {
    "PRIVATE KEY": "PKCS#8",
    "ENCRYPTED PRIVATE KEY": "PKCS#8",
    "RSA PRIVATE KEY": "PKCS#1",
    "EC PRIVATE KEY": "SEC 1",
    "DSA PRIVATE KEY": "traditional DSA",
    "OPENSSH PRIVATE KEY": "OpenSSH",
}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key as a file holds it.

    ``format`` is PKCS#8, PKCS#1, SEC 1, OpenSSH or what the label says. ``pkcs8`` is the key itself
    (DER, not encrypted), None when no passphrase opened it; ``passphrase`` is the one that did.
    ``problem`` says why it is not open. ``unsound`` says what is wrong with the numbers of an RSA key.
    """

    format: str
    encrypted: bool
    pkcs8: bytes | None = field(default=None, repr=False)
    passphrase: bytes | None = field(default=None, repr=False)
    public: PublicKey | None = None
    problem: str = ""
    unsound: str = ""


def is_key_label(label: str) -> bool:
    """Whether a PEM label is one of a private key."""
    return label.endswith("PRIVATE KEY")


def open_key(block: Block, passphrases: Sequence[bytes] = (), allowance: KdfBudget | None = None) -> KeyFile:
    """The key in a PEM block, or in DER octets given as a block with a private key's label.

    Every passphrase is tried on a key that is encrypted; one that is not needs none. The allowance is
    the file's, if there is more in it.
    """
    allowance = allowance or KdfBudget()
    label, data = block.label, block.data
    encrypted = label == "ENCRYPTED PRIVATE KEY" or any("ENCRYPTED" in value for _, value in block.headers)
    form = _FORMATS.get(label, label)
    if label == "OPENSSH PRIVATE KEY":
        return KeyFile(form, b"bcrypt" in data[:200], problem="keys in OpenSSH's own format are not read")
    text = pem.encode(label, data, block.headers)
    problem = "it is under a passphrase, and none was given"
    for number, passphrase in enumerate(passphrases if encrypted else (None,)):
        if words := allowance.refusal(data):
            problem = problem if number else words
            break
        try:
            pkcs8 = read_private_key(text, passphrase, ours=True)
            public = _public_key(pkcs8)
        except (InputError, Malformed) as error:
            problem = str(error)
            continue
        return KeyFile(form, encrypted, pkcs8, passphrase, public, unsound=_unsound(pkcs8))
    return KeyFile(form, encrypted, problem=problem)


def _public_key(pkcs8: bytes) -> PublicKey:
    from pkigen.keys import load_private, public_key_info

    return public_key(public_key_info(load_private(pkcs8)))


def _unsound(pkcs8: bytes) -> str:
    """What is wrong with the numbers of an RSA key (RFC 8017, 3.2); "" for other keys."""
    _, algorithm, key, *_ = der.children(pkcs8)
    if not der.dotted(der.children(algorithm)[0]).startswith("1.2.840.113549.1.1."):
        return ""
    numbers = (int.from_bytes(der.contents(part), "big") for part in der.children(der.contents(key)))
    _, n, e, d, p, q, dp, dq, inverse = list(numbers)[:9]
    if min(p, q) < 2 or p * q != n:
        return "the modulus is not the product of the primes"
    if (d * e - 1) % (p - 1) or (d * e - 1) % (q - 1):
        return "the private exponent does not fit the public one"
    if d % (p - 1) != dp or d % (q - 1) != dq or inverse * q % p != 1:
        return "the numbers for the Chinese remainder theorem do not fit the primes"
    return ""
