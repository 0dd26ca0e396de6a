"""Passphrase-based encryption: PBES1, PBES2 and PBMAC1 (RFC 8018), PKCS#12 (RFC 7292), and PEM (RFC 1421)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pkigen.asn1 import der, oids
from pkigen.errors import InputError
from pkigen.formats import rc2
from pkigen.formats.kdf_budget import KdfBudget

_PBES2, _PBKDF2, _SCRYPT = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
_HMAC_SHA256, _AES_256_CBC = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42"
_PBMAC1 = "1.2.840.113549.1.5.14"
FOR_KEY, FOR_VECTOR, FOR_MAC = 1, 2, 3
"""The purposes of PKCS#12's key derivation (RFC 7292, B.3)."""

_HMACS = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_HMAC_SHA1 = "1.2.840.113549.2.7"
_CBC: dict[str, tuple[Callable[[bytes], object], int]] = {
    "1.3.14.3.2.7": (lambda key: TripleDES(key * 3), 8),  # DES is 3DES with three equal keys
    "1.2.840.113549.3.7": (lambda key: TripleDES((key + key[:8])[:24]), 24),  # also with two keys
    "2.16.840.1.101.3.4.1.2": (algorithms.AES, 16),
    "2.16.840.1.101.3.4.1.22": (algorithms.AES, 24),
    "2.16.840.1.101.3.4.1.42": (algorithms.AES, 32),
}
_RC2_CBC = "1.2.840.113549.3.2"
_RC2_VERSIONS = {160: 40, 120: 64, 58: 128}
_PEM_CIPHERS = {
    "DES-CBC": "1.3.14.3.2.7",
    "DES-EDE3-CBC": "1.2.840.113549.3.7",
    "AES-128-CBC": "2.16.840.1.101.3.4.1.2",
    "AES-192-CBC": "2.16.840.1.101.3.4.1.22",
    "AES-256-CBC": "2.16.840.1.101.3.4.1.42",
}
_NAMES = {
    "1.2.840.113549.1.5.1": "PBE with MD2 and DES",
    "1.2.840.113549.1.5.4": "PBE with MD2 and RC2",
    "1.2.840.113533.7.66.10": "CAST5",
    "1.2.392.200011.61.1.1.1.2": "Camellia-128-CBC",
    "1.2.392.200011.61.1.1.1.3": "Camellia-192-CBC",
    "1.2.392.200011.61.1.1.1.4": "Camellia-256-CBC",
    "1.2.410.200004.1.4": "SEED-CBC",
    "1.2.156.10197.1.104.2": "SM4-CBC",
    "1.2.643.2.2.21": "GOST 28147-89",
    "1.2.643.7.1.1.5.1.1": "Magma",
    "1.2.643.7.1.1.5.2.1": "Kuznyechik",
    "2.16.840.1.101.3.4.1.6": "AES-128-GCM",
    "2.16.840.1.101.3.4.1.26": "AES-192-GCM",
    "2.16.840.1.101.3.4.1.46": "AES-256-GCM",
    "1.3.6.1.4.1.42.2.19.1": "JCEKS (PBE with MD5 and 3DES)",
}
_MAX_SCRYPT_MEMORY = 128 * 1024 * 1024
_KDF_BLOCKS = {"sha384": 128, "sha512": 128}
_SCRYPT_UNIT = 2
"""Iterations that take about as long as a block (128 bytes) of scrypt's table."""
_RC2_BLOCK = 100
"""Iterations that take about as long as the decryption of 8 bytes with RC2."""
_LONGEST_NUMBER = 8


class WrongPassphrase(InputError):
    """The passphrase does not decrypt the data, or the data is damaged."""


class UnsupportedCipher(InputError):
    """The data is encrypted, or protected, with an algorithm that pkigen does not support."""

    def __init__(self, oid: str) -> None:
        name = f"{_NAMES[oid]} ({oid})" if oid in _NAMES else oid
        super().__init__(f"it is encrypted with {name}, which is not supported; re-encrypt it with AES-256")


@dataclass(frozen=True, slots=True)
class _Pbe:
    """A PBES1 scheme: digest, cipher (an OID of ``_CBC``, "rc2" or "rc4"), length of the key in bytes."""

    digest: str
    cipher: str
    size: int


_DES, _3DES = "1.3.14.3.2.7", "1.2.840.113549.3.7"
_PKCS5 = {
    "1.2.840.113549.1.5.3": _Pbe("md5", _DES, 8),
    "1.2.840.113549.1.5.6": _Pbe("md5", "rc2", 8),
    "1.2.840.113549.1.5.10": _Pbe("sha1", _DES, 8),
    "1.2.840.113549.1.5.11": _Pbe("sha1", "rc2", 8),
}
_PKCS12 = {
    "1.2.840.113549.1.12.1.1": _Pbe("sha1", "rc4", 16),
    "1.2.840.113549.1.12.1.2": _Pbe("sha1", "rc4", 5),
    "1.2.840.113549.1.12.1.3": _Pbe("sha1", _3DES, 24),
    "1.2.840.113549.1.12.1.4": _Pbe("sha1", _3DES, 16),
    "1.2.840.113549.1.12.1.5": _Pbe("sha1", "rc2", 16),
    "1.2.840.113549.1.12.1.6": _Pbe("sha1", "rc2", 5),
}


def decrypt(algorithm: bytes, data: bytes, passphrase: bytes | None, budget: KdfBudget) -> bytes:
    """Return the plaintext of data encrypted under an AlgorithmIdentifier of PBES1, PBES2 or PKCS#12.

    ``passphrase`` is None for PKCS#12 files without one. Raises WrongPassphrase, UnsupportedCipher, other
    InputErrors if the budget does not suffice, and ValueError for malformed parameters.
    """
    oid, parameters = _algorithm(algorithm)
    if oid == _PBES2:
        derivation, cipher = der.children(parameters)
        name, cipher_parameters = _algorithm(cipher)
        if name == _RC2_CBC:
            version, vector = der.children(cipher_parameters)
            bits = _RC2_VERSIONS.get(_integer(version), 0)
            key = _derived_key(derivation, passphrase or b"", bits // 8, budget)
            return _unpadded(_rc2(key, bits, der.contents(vector), data, budget))
        if name not in _CBC:
            raise UnsupportedCipher(name)
        key = _derived_key(derivation, passphrase or b"", _CBC[name][1], budget)
        return _cbc(name, key, der.contents(cipher_parameters), data)
    scheme = _PKCS12.get(oid) or _PKCS5.get(oid)
    if scheme is None:
        raise UnsupportedCipher(oid)
    salt, rounds = der.children(parameters)
    if oid in _PKCS12:
        key, vector = (
            pkcs12_derived(
                passphrase, der.contents(salt), purpose, scheme.digest, _integer(rounds), size, budget
            )
            for purpose, size in ((FOR_KEY, scheme.size), (FOR_VECTOR, 8))
        )
    else:
        both = _pbkdf1(scheme.digest, passphrase or b"", der.contents(salt), _integer(rounds), budget)
        key, vector = both[:8], both[8:16]
    if scheme.cipher == "rc4":
        return Cipher(ARC4(key), None).decryptor().update(data)
    if scheme.cipher == "rc2":
        return _unpadded(_rc2(key, 8 * scheme.size, vector, data, budget))
    return _cbc(scheme.cipher, key, vector, data)


def encrypt_pbes2(data: bytes, passphrase: bytes, random: bytes, iterations: int) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier of PBES2 (PBKDF2-HMAC-SHA256, AES-256-CBC), and the ciphertext.

    ``random`` has 32 bytes: salt and initialization vector.
    """
    salt, vector = random[:16], random[16:]
    secret = _pbkdf2(passphrase, salt, iterations)
    derivation = der.sequence(
        der.oid(_PBKDF2),
        der.sequence(
            der.octet_string(salt),
            der.integer(iterations),
            der.sequence(der.oid(_HMAC_SHA256), der.null()),
        ),
    )
    cipher = der.sequence(der.oid(_AES_256_CBC), der.octet_string(vector))
    algorithm = der.sequence(der.oid(_PBES2), der.sequence(derivation, cipher))
    return algorithm, cbc_encrypted(_AES_256_CBC, secret, vector, data)


@lru_cache(maxsize=1)
def _pbkdf2(passphrase: bytes, salt: bytes, iterations: int) -> bytes:
    """Return the key of PBES2; cached, because the parts of a PKCS#12 file share one salt."""
    return hashlib.pbkdf2_hmac("sha256", passphrase, salt, iterations, 32)


def encrypt_pkcs12(
    oid: str, data: bytes, passphrase: bytes, salt: bytes, iterations: int
) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier of a PKCS#12 scheme (3DES or RC2), and the ciphertext."""
    scheme = _PKCS12[oid]
    key = pkcs12_derived(passphrase, salt, FOR_KEY, scheme.digest, iterations, scheme.size)
    vector = pkcs12_derived(passphrase, salt, FOR_VECTOR, scheme.digest, iterations, 8)
    algorithm = der.sequence(der.oid(oid), der.sequence(der.octet_string(salt), der.integer(iterations)))
    if scheme.cipher == "rc2":
        return algorithm, rc2.encrypt(key, 8 * scheme.size, vector, _padded(data, 8))
    return algorithm, cbc_encrypted(scheme.cipher, key, vector, data)


def cbc_encrypted(oid: str, key: bytes, vector: bytes, data: bytes) -> bytes:
    """Return the CBC ciphertext of data with padding (RFC 8018, 6.1.1)."""
    encryptor = Cipher(_CBC[oid][0](key), modes.CBC(vector)).encryptor()  # type: ignore[arg-type]
    return encryptor.update(_padded(data, len(vector))) + encryptor.finalize()


def _padded(data: bytes, block: int) -> bytes:
    fill = block - len(data) % block
    return data + bytes((fill,)) * fill


def decrypt_pem(dek_info: str, data: bytes, passphrase: bytes) -> bytes:
    """Return the plaintext of a PEM block with the DEK-Info header ``CIPHER,VECTOR`` (RFC 1421, 4.6.1.3)."""
    name, _, vector = dek_info.partition(",")
    oid = _PEM_CIPHERS.get(name.strip().upper())
    if oid is None:
        raise UnsupportedCipher(name.strip()[:40])
    octets = bytes.fromhex(vector.strip())
    return _cbc(oid, bytes_to_key(passphrase, octets[:8], _CBC[oid][1]), octets, data)


def bytes_to_key(passphrase: bytes, salt: bytes, size: int) -> bytes:
    """Return EVP_BytesToKey with MD5 and one round: weak, but the PEM format requires it."""
    derived = block = b""
    while len(derived) < size:
        block = hashlib.md5(block + passphrase + salt, usedforsecurity=False).digest()
        derived += block
    return derived[:size]


def protection_name(algorithm: bytes) -> str:
    """Return the name of the cipher, or of the MAC's digest, in an AlgorithmIdentifier; else its OID.

    Examples: AES-256-CBC, 3DES, RC2-40, SHA-256, PBMAC1.
    """
    oid, parameters = _algorithm(algorithm)
    if oid == _PBES2:
        oid, parameters = _algorithm(der.children(parameters)[1])
    scheme = _PKCS12.get(oid) or _PKCS5.get(oid)
    if scheme is not None:
        bits = "" if scheme.cipher in (_DES, _3DES) else f"-{8 * scheme.size}"
        return {_DES: "DES", _3DES: "3DES"}.get(scheme.cipher, scheme.cipher.upper()) + bits
    pem_names = {one: name for name, one in _PEM_CIPHERS.items()}
    pem_names |= {_DES: "DES", _3DES: "3DES", _RC2_CBC: "RC2", _PBMAC1: "PBMAC1"}
    digest = oids.DIGESTS.get(oid, "")
    digest = digest.upper().replace("SHA", "SHA-", 1) if digest.startswith("sha") else digest.upper()
    return pem_names.get(oid) or _NAMES.get(oid) or digest or oid


def mac_is_valid(mac_data: bytes, content: bytes, passphrase: bytes | None, budget: KdfBudget) -> bool:
    """Return whether MacData (RFC 7292, 4; RFC 9579) is the MAC of ``content`` under a passphrase."""
    digest_info, *rest = der.children(mac_data)
    algorithm, value = der.children(digest_info)
    oid, parameters = _algorithm(algorithm)
    if oid == _PBMAC1:
        derivation, scheme = der.children(parameters)
        name = _HMACS.get(_algorithm(scheme)[0])
        if name is None:
            raise UnsupportedCipher(_algorithm(scheme)[0])
        secret = _derived_key(derivation, passphrase or b"", hashlib.new(name).digest_size, budget)
    else:
        name = oids.DIGESTS.get(oid)
        if name is None:
            raise UnsupportedCipher(oid)
        if not rest:
            raise ValueError("a MAC without a salt")
        rounds = _integer(rest[1]) if len(rest) > 1 else 1
        size = hashlib.new(name).digest_size
        secret = pkcs12_derived(passphrase, der.contents(rest[0]), FOR_MAC, name, rounds, size, budget)
    return hmac.compare_digest(hmac.digest(secret, content, name), der.contents(value))


def pkcs12_derived(
    passphrase: bytes | None,
    salt: bytes,
    purpose: int,
    digest: str,
    rounds: int,
    size: int,
    budget: KdfBudget | None = None,
) -> bytes:
    """Return ``size`` bytes derived from a passphrase (RFC 7292, appendix B.2).

    ``budget`` limits the iterations if they come from a file.

    A passphrase that is not UTF-8 is read as Latin-1, as OpenSSL does.
    """
    block = _KDF_BLOCKS.get(digest, 64)
    start = bytes((purpose,)) * block
    text = b"" if passphrase is None else _text(passphrase).encode("utf-16-be") + b"\0\0"
    state, derived = _filled(salt, block) + _filled(text, block), b""
    function = getattr(hashlib, digest)
    while True:
        value = start + state
        if budget is not None:
            budget.spend(rounds)
        for _ in range(rounds):
            value = function(value, usedforsecurity=False).digest()
        derived += value
        if len(derived) >= size:
            return derived[:size]
        addend = int.from_bytes((value * (block // len(value) + 1))[:block], "big") + 1
        numbers = (int.from_bytes(state[at : at + block], "big") for at in range(0, len(state), block))
        state = b"".join(((one + addend) % (1 << 8 * block)).to_bytes(block, "big") for one in numbers)


def passphrase_forms(passphrase: bytes) -> Iterator[bytes]:
    """Yield a passphrase as it is, and one that is not UTF-8 (a file saved as ANSI) also as UTF-8."""
    yield passphrase
    try:
        passphrase.decode("utf-8")
    except UnicodeDecodeError:
        yield passphrase.decode("latin-1").encode()


def _text(passphrase: bytes) -> str:
    try:
        return passphrase.decode("utf-8")
    except UnicodeDecodeError:
        return passphrase.decode("latin-1")


def _filled(data: bytes, block: int) -> bytes:
    """Repeat the data up to a multiple of the block size."""
    size = -(-len(data) // block) * block
    return (data * (size // len(data) + 1))[:size] if data else b""


def _pbkdf1(digest: str, passphrase: bytes, salt: bytes, rounds: int, budget: KdfBudget) -> bytes:
    budget.spend(rounds)
    value = passphrase + salt
    for _ in range(rounds):
        value = hashlib.new(digest, value, usedforsecurity=False).digest()
    return value


def _derived_key(derivation: bytes, passphrase: bytes, size: int, budget: KdfBudget) -> bytes:
    """Return the key that a KeyDerivationFunc of PBES2 or PBMAC1 derives."""
    oid, parameters = _algorithm(derivation)
    salt, *rest = der.children(parameters)
    if oid == _SCRYPT:
        n, r, p = map(_integer, rest[:3])
        octets = der.contents(salt)
        budget.spend(n * r * p * _SCRYPT_UNIT)
        return hashlib.scrypt(passphrase, salt=octets, n=n, r=r, p=p, maxmem=_MAX_SCRYPT_MEMORY, dklen=size)
    if oid != _PBKDF2:
        raise UnsupportedCipher(oid)
    if not rest:
        raise ValueError("PBKDF2 without a number of iterations")
    prf = next((_algorithm(part)[0] for part in rest[1:] if part[0] == der.SEQUENCE), _HMAC_SHA1)
    if prf not in _HMACS:
        raise UnsupportedCipher(prf)
    name, iterations = _HMACS[prf], _integer(rest[0])
    budget.spend(iterations * -(-size // hashlib.new(name).digest_size))
    return hashlib.pbkdf2_hmac(name, passphrase, der.contents(salt), iterations, size)


def _cbc(oid: str, key: bytes, vector: bytes, data: bytes) -> bytes:
    if len(data) % len(vector or b"x"):
        raise WrongPassphrase("the encrypted data is damaged: its length is not a multiple of the block size")
    algorithm = _CBC[oid][0](key)
    decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()  # type: ignore[arg-type]
    return _unpadded(decryptor.update(data) + decryptor.finalize())


def _rc2(key: bytes, bits: int, vector: bytes, data: bytes, budget: KdfBudget) -> bytes:
    if not bits or len(vector) != 8 or len(data) % 8:
        raise ValueError("malformed RC2 parameters")
    budget.spend(len(data) // 8 * _RC2_BLOCK)
    return rc2.decrypt(key, bits, vector, data)


def _unpadded(data: bytes) -> bytes:
    fill = data[-1] if data else 0
    if not 0 < fill <= 16 or data[-fill:] != bytes((fill,)) * fill:
        raise WrongPassphrase("the passphrase is wrong, or the data is damaged")
    return data[:-fill]


def _algorithm(data: bytes) -> tuple[str, bytes]:
    """Return the OID and the parameters of an AlgorithmIdentifier."""
    oid, *parameters = der.children(data)
    return der.dotted(oid), parameters[0] if parameters else der.null()


def _integer(data: bytes) -> int:
    """Return an INTEGER; a value beyond every limit for a very long one, whose product takes long."""
    octets = der.contents(data).lstrip(b"\0")
    return 2**63 if len(octets) > _LONGEST_NUMBER else int.from_bytes(octets, "big")
