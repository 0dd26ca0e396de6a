"""Alterations of the key file: other formats, other keys, and other content.

All of these files get the mode of a key file, also those with an unrelated key.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lcm

from pkigen.asn1 import der
from pkigen.formats import pem, private_keys
from pkigen.formats.alterations.draft import FileDraft
from pkigen.keys.kinds import parse_kind
from pkigen.x509 import Certificate

_UNKNOWN_PASSPHRASE = b"nobody knows this one"
_GIVEN_PASSPHRASE = b"correct-passphrase"
_OTHER_RSA, _OTHER_EC = "rsa-2048", "ec-p256"
_PRIVATE_EXPONENT, _COEFFICIENT = 3, 8
"""The positions of the numbers in an RSAPrivateKey (RFC 8017, appendix A.1.2)."""
_PUBLIC_POINT = 0xA1
"""The tag of the public key in an ECPrivateKey (RFC 5915, 3)."""


def _der(draft: FileDraft, _argument: str) -> None:
    draft.write("key", draft.key)


def _traditional(draft: FileDraft, _argument: str) -> None:
    draft.write("key", private_keys.traditional(draft.key, None, draft.entropy))


def _pkcs8(draft: FileDraft, _argument: str) -> None:
    """Write the key in PKCS#8, unless an earlier alteration already did so with a passphrase."""
    if b"BEGIN ENCRYPTED PRIVATE KEY" not in draft.files["key"].data:
        draft.write_key(draft.issued.entity.output.passphrase)


def _passphrase(draft: FileDraft, argument: str) -> None:
    draft.write_key(argument.encode())
    draft.add_passphrase_file(argument.encode())


def _plain(draft: FileDraft, _argument: str) -> None:
    draft.write_key(None)


def _wrong_passphrase(draft: FileDraft, _argument: str) -> None:
    draft.write_key(_UNKNOWN_PASSPHRASE)
    draft.add_passphrase_file(_GIVEN_PASSPHRASE)


def _no_passphrase(draft: FileDraft, _argument: str) -> None:
    draft.write_key(_UNKNOWN_PASSPHRASE)


def _traditional_no_passphrase(draft: FileDraft, _argument: str) -> None:
    draft.write("key", private_keys.traditional(draft.key, _UNKNOWN_PASSPHRASE, draft.entropy))


def _other(draft: FileDraft, _argument: str) -> None:
    draft.write("key", _unrelated_key(draft, draft.issued.entity.key))


def _other_type(draft: FileDraft, _argument: str) -> None:
    rsa = parse_kind(draft.issued.entity.key).family == "rsa"
    draft.write("key", _unrelated_key(draft, _OTHER_EC if rsa else _OTHER_RSA))


def _other_first(draft: FileDraft, _argument: str) -> None:
    key = draft.files["key"].data
    draft.write("key", _unrelated_key(draft, draft.issued.entity.key) + key)


def _unrelated_key(draft: FileDraft, kind: str) -> bytes:
    """Return an unrelated key, encrypted with the entity's passphrase if it has one."""
    passphrase = draft.issued.entity.output.passphrase
    return private_keys.pkcs8(draft.unrelated.key(kind), passphrase, draft.entropy)


def _openssh(draft: FileDraft, _argument: str) -> None:
    draft.write("key", private_keys.openssh(draft.key, draft.entropy))


def _ec_parameters(draft: FileDraft, _argument: str) -> None:
    """Write the curve before the key, as ``openssl ecparam -genkey`` does."""
    curve = der.children(der.children(draft.key)[1])[1]
    key = private_keys.traditional(draft.key, draft.issued.entity.output.passphrase, draft.entropy)
    draft.write("key", pem.encode("EC PARAMETERS", curve) + key)


def _labeled_pkcs1(draft: FileDraft, _argument: str) -> None:
    draft.write("key", pem.encode("RSA PRIVATE KEY", draft.key))


def _labeled_pkcs8(draft: FileDraft, _argument: str) -> None:
    draft.write("key", pem.encode("PRIVATE KEY", der.contents(der.children(draft.key)[2])))


def _public(draft: FileDraft, _argument: str) -> None:
    draft.write("key", pem.encode("PUBLIC KEY", draft.issued.public_key))


def _certificate(draft: FileDraft, _argument: str) -> None:
    draft.write("key", pem.certificate(draft.certificate))


def _with_wrong_number(position: int) -> Callable[[FileDraft, str], None]:
    """Return an alteration that changes one number of an RSA key, so that signatures or checks fail."""

    def write(draft: FileDraft, _argument: str) -> None:
        version, algorithm, private_key, *rest = der.children(draft.key)
        numbers = der.children(der.contents(private_key))
        numbers[position] = der.integer(int.from_bytes(der.contents(numbers[position]), "big") ^ 2)
        key = der.sequence(version, algorithm, der.octet_string(der.sequence(*numbers)), *rest)
        draft.write("key", private_keys.pkcs8(key, draft.issued.entity.output.passphrase, draft.entropy))

    return write


def _as_certified(draft: FileDraft, _argument: str) -> None:
    """Write the key with the algorithm, the exponent and the form of the point that the certificate has."""
    algorithm, bits = der.children(Certificate(draft.certificate).subject_public_key_info)
    version, _, private_key, *rest = der.children(draft.key)
    numbers = der.children(der.contents(private_key))
    match parse_kind(draft.issued.entity.key).family:
        case "rsa":
            numbers = _with_exponent(numbers, der.children(der.contents(bits)[1:])[1])
        case "ec":
            numbers = [der.explicit(1, bits) if part[0] == _PUBLIC_POINT else part for part in numbers]
    key = der.sequence(version, algorithm, der.octet_string(der.sequence(*numbers)), *rest)
    draft.write("key", private_keys.pkcs8(key, draft.issued.entity.output.passphrase, draft.entropy))


def _with_exponent(numbers: list[bytes], exponent: bytes) -> list[bytes]:
    """Return an RSAPrivateKey of the same primes for a public exponent; ValueError if none exists for it."""
    version, n, _, _, p, q, _, _, coefficient = numbers
    e, *primes = (int.from_bytes(der.contents(number), "big") for number in (exponent, p, q))
    d = pow(e, -1, lcm(*(prime - 1 for prime in primes)))
    exponents = (der.integer(d % (prime - 1)) for prime in primes)
    return [version, n, exponent, der.integer(d), p, q, *exponents, coefficient]


KEY_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "der": _der,
    "traditional": _traditional,
    "pkcs8": _pkcs8,
    "passphrase": _passphrase,
    "plain": _plain,
    "wrong-passphrase": _wrong_passphrase,
    "no-passphrase": _no_passphrase,
    "traditional-no-passphrase": _traditional_no_passphrase,
    "other-key": _other,
    "other-type": _other_type,
    "other-key-first": _other_first,
    "openssh": _openssh,
    "ec-parameters": _ec_parameters,
    "labelled-pkcs1": _labeled_pkcs1,
    "labelled-pkcs8": _labeled_pkcs8,
    "public": _public,
    "as-certified": _as_certified,
    "certificate": _certificate,
    "bad-exponent": _with_wrong_number(_PRIVATE_EXPONENT),
    "unsound": _with_wrong_number(_COEFFICIENT),
}
