"""SLH-DSA-SHA2-128f keys and signatures (FIPS 205; RFC 9909), which cryptography does not support.

Only for test PKIs: the time that a signature takes depends on the key. The two classes have the methods of
cryptography's keys that pkigen calls.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pkigen.asn1 import der

# n, d, h', a, k and lg_w of the parameter set (FIPS 205, 11, table 2), and len_1 and len_2 of WOTS+ (5).
_N, _LAYERS, _TREE_HEIGHT, _FORS_HEIGHT, _FORS_TREES, _DIGIT_BITS = 16, 22, 3, 6, 33, 4
_MESSAGE_DIGITS, _CHECKSUM_DIGITS = 32, 3
_LARGEST_DIGIT = (1 << _DIGIT_BITS) - 1
_DIGEST_PARTS = (25, 8, 1)
"""Bytes of a message digest that select the FORS keys, the tree and the leaf (9.2)."""
_SECRET_AND_PATH = 1 + _FORS_HEIGHT
_CHAINS = _MESSAGE_DIGITS + _CHECKSUM_DIGITS
_CHAINS_AND_PATH = _CHAINS + _TREE_HEIGHT
_SIGNATURE_PARTS = 1 + _FORS_TREES * _SECRET_AND_PATH + _LAYERS * _CHAINS_AND_PATH
"""Number of strings of n bytes in a signature: 17,088 bytes."""

# Types of addresses (4.2, table 1).
_WOTS_HASH, _WOTS_PK, _TREE, _FORS_TREE, _FORS_ROOTS, _WOTS_PRF, _FORS_PRF = range(7)

SEED_SIZE = 3 * _N
"""Bytes of the seed of a private key."""
_ALGORITHM = der.sequence(der.oid("2.16.840.1.101.3.4.3.21"))
_PURE = b"\0\0"
"""Prefix of a message that is signed as it is, with an empty context (10.2.1)."""
_Hash = Callable[[int, int, int, int, bytes], bytes]


@dataclass(frozen=True)
class SlhDsaPublicKey:
    """A public key: PK.seed and PK.root (FIPS 205, 9.1, figure 16)."""

    raw: bytes

    @classmethod
    def from_info(cls, info: bytes) -> SlhDsaPublicKey | None:
        """Return the key in a SubjectPublicKeyInfo (RFC 9909, 5); None for another kind of key."""
        key = cls(info[-2 * _N :])
        return key if info == key._info() else None

    def _info(self) -> bytes:
        return der.sequence(_ALGORITHM, der.bit_string(self.raw))

    def public_bytes(self, encoding: Encoding, format: PublicFormat) -> bytes:  # noqa: A002
        """Return the SubjectPublicKeyInfo in DER; ValueError for another format."""
        if (encoding, format) != (Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
            raise ValueError("SLH-DSA public keys have only this format: SubjectPublicKeyInfo in DER")
        return self._info()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Verify a pure signature with an empty context (FIPS 205, algorithms 20 and 24).

        Raises InvalidSignature.
        """
        parts = [signature[start : start + _N] for start in range(0, len(signature), _N)]
        if len(signature) != _N * _SIGNATURE_PARTS:
            raise InvalidSignature
        chosen, tree, leaf = _selection(self.raw, parts[0], _PURE + data)
        hashed, roots, start = _hash_of_tree(self.raw, 0, tree), list[bytes](), 1
        for number, digit in enumerate(_digits(chosen, _FORS_HEIGHT, _FORS_TREES)):  # algorithm 17
            secret, *path = parts[start : (start := start + _SECRET_AND_PATH)]
            place = (number << _FORS_HEIGHT) + digit
            bottom = hashed(_FORS_TREE, leaf, 0, place, secret)
            roots.append(_root(hashed, _FORS_TREE, leaf, place, bottom, path))
        root = hashed(_FORS_ROOTS, leaf, 0, 0, b"".join(roots))
        for layer in range(_LAYERS):  # algorithms 13, 11 and 8
            hashed = _hash_of_tree(self.raw, layer, tree)
            values = parts[start : (start := start + _CHAINS_AND_PATH)]
            ends = [
                _chain(hashed, leaf, number, digit, values[number])[-1]
                for number, digit in enumerate(_wots_digits(root))
            ]
            bottom = hashed(_WOTS_PK, leaf, 0, 0, b"".join(ends))
            root = _root(hashed, _TREE, 0, leaf, bottom, values[_CHAINS:])
            tree, leaf = tree >> _TREE_HEIGHT, tree % (1 << _TREE_HEIGHT)
        if root != self.raw[_N:]:
            raise InvalidSignature


@dataclass(frozen=True)
class SlhDsaPrivateKey:
    """A private key: SK.seed, SK.prf, PK.seed and PK.root (FIPS 205, 9.1, figure 15)."""

    raw: bytes = field(repr=False)

    @classmethod
    def from_seed_bytes(cls, seed: bytes) -> SlhDsaPrivateKey:
        """Return the key of SK.seed, SK.prf and PK.seed (FIPS 205, 9.1, algorithm 18)."""
        levels, _ = cls(seed)._xmss(_LAYERS - 1, 0, 0, bytes(_N))
        return cls(seed + levels[-1][0])

    @classmethod
    def from_pkcs8(cls, pkcs8: bytes) -> SlhDsaPrivateKey | None:
        """Return the key in PKCS#8 DER (RFC 9909, 7); None for another kind of key."""
        key = cls(pkcs8[-4 * _N :])
        return key if pkcs8 == key._pkcs8() else None

    def _pkcs8(self) -> bytes:
        return der.sequence(der.integer(0), _ALGORITHM, der.octet_string(self.raw))

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """Return unencrypted PKCS#8 in DER; ValueError for another format."""
        unencrypted = isinstance(encryption_algorithm, NoEncryption)
        if (encoding, format, unencrypted) != (Encoding.DER, PrivateFormat.PKCS8, True):
            raise ValueError("SLH-DSA private keys have only this format: unencrypted PKCS#8 in DER")
        return self._pkcs8()

    def public_key(self) -> SlhDsaPublicKey:
        """Return the public key, which is a part of the private key."""
        return SlhDsaPublicKey(self.raw[2 * _N :])

    def sign(self, data: bytes) -> bytes:
        """Return the deterministic, pure signature with an empty context (FIPS 205, algorithms 19 and 22)."""
        public, message = self.raw[2 * _N :], _PURE + data
        randomizer = hmac.digest(self.raw[_N : 2 * _N], public[:_N] + message, "sha256")[:_N]
        chosen, tree, leaf = _selection(public, randomizer, message)
        signature, root = self._fors(tree, leaf, chosen)
        parts = [randomizer, signature]
        for layer in range(_LAYERS):  # algorithm 12
            levels, signature = self._xmss(layer, tree, leaf, root)
            parts += (signature, _path(levels, leaf))
            root = levels[-1][0]
            tree, leaf = tree >> _TREE_HEIGHT, tree % (1 << _TREE_HEIGHT)
        return b"".join(parts)

    def _fors(self, tree: int, leaf: int, chosen: bytes) -> tuple[bytes, bytes]:
        """Return a FORS signature and its public key (FIPS 205, 8.3 and 8.4)."""
        hashed, parts, roots = _hash_of_tree(self.raw[2 * _N :], 0, tree), list[bytes](), list[bytes]()
        for number, digit in enumerate(_digits(chosen, _FORS_HEIGHT, _FORS_TREES)):
            places = range(number << _FORS_HEIGHT, number + 1 << _FORS_HEIGHT)
            secrets = [hashed(_FORS_PRF, leaf, 0, place, self.raw[:_N]) for place in places]
            leaves = [hashed(_FORS_TREE, leaf, 0, *pair) for pair in zip(places, secrets, strict=True)]
            levels = _levels(hashed, _FORS_TREE, leaf, number, leaves)
            parts += (secrets[digit], _path(levels, digit))
            roots += levels[-1]
        return b"".join(parts), hashed(_FORS_ROOTS, leaf, 0, 0, b"".join(roots))

    def _xmss(self, layer: int, tree: int, leaf: int, message: bytes) -> tuple[list[list[bytes]], bytes]:
        """Return the hash tree of WOTS+ keys, and the signature by one of them (FIPS 205, 5.2 and 6.1)."""
        hashed = _hash_of_tree(self.raw[2 * _N :], layer, tree)
        leaves, signature = list[bytes](), b""
        for pair in range(1 << _TREE_HEIGHT):
            chains = [
                _chain(hashed, pair, number, 0, hashed(_WOTS_PRF, pair, number, 0, self.raw[:_N]))
                for number in range(_CHAINS)
            ]
            if pair == leaf:
                signature = b"".join(
                    chain[digit] for chain, digit in zip(chains, _wots_digits(message), strict=True)
                )
            leaves.append(hashed(_WOTS_PK, pair, 0, 0, b"".join(chain[-1] for chain in chains)))
        return _levels(hashed, _TREE, 0, 0, leaves), signature


def _hash_of_tree(public: bytes, layer: int, tree: int) -> _Hash:
    """Return PRF, F, H and T for the addresses in a tree: all are one function (FIPS 205, 11.2.1)."""
    block = sha256(public[:_N].ljust(64, b"\0"))
    place = bytes((layer,)) + tree.to_bytes(8, "big")

    def hashed(kind: int, pair: int, second: int, third: int, data: bytes) -> bytes:
        state = block.copy()
        words = pair << 64 | second << 32 | third
        state.update(place + bytes((kind,)) + words.to_bytes(12, "big") + data)
        return state.digest()[:_N]

    return hashed


def _selection(public: bytes, randomizer: bytes, message: bytes) -> tuple[bytes, int, int]:
    """Return what H_msg selects: the FORS keys, the tree and the leaf (FIPS 205, 9.2 and 11.2.1)."""
    seed = randomizer + public[:_N] + sha256(randomizer + public + message).digest()
    digest = b"".join(sha256(seed + counter.to_bytes(4, "big")).digest() for counter in range(2))
    first, second, third = _DIGEST_PARTS
    tree = int.from_bytes(digest[first:][:second], "big") % (1 << _TREE_HEIGHT * (_LAYERS - 1))
    leaf = int.from_bytes(digest[first + second :][:third], "big") % (1 << _TREE_HEIGHT)
    return digest[:first], tree, leaf


def _digits(data: bytes, bits: int, count: int) -> list[int]:
    """Return the first ``count`` digits of ``bits`` bits each (FIPS 205, 4.4, algorithm 4)."""
    number, size = int.from_bytes(data, "big"), 8 * len(data)
    return [number >> size - bits * place & (1 << bits) - 1 for place in range(1, count + 1)]


def _wots_digits(message: bytes) -> list[int]:
    """Return the digits of a message and of its checksum (FIPS 205, 5.2)."""
    digits = _digits(message, _DIGIT_BITS, _MESSAGE_DIGITS)
    checksum = sum(_LARGEST_DIGIT - digit for digit in digits)
    return digits + _digits((checksum << _DIGIT_BITS).to_bytes(2, "big"), _DIGIT_BITS, _CHECKSUM_DIGITS)


def _chain(hashed: _Hash, pair: int, number: int, start: int, value: bytes) -> list[bytes]:
    """Return the values of a hash chain from the step ``start`` to its end (FIPS 205, 5, algorithm 5)."""
    values = [value]
    for step in range(start, _LARGEST_DIGIT):
        values.append(hashed(_WOTS_HASH, pair, number, step, values[-1]))
    return values


def _levels(hashed: _Hash, kind: int, pair: int, number: int, leaves: list[bytes]) -> list[list[bytes]]:
    """Return the levels of the hash tree with this number, leaves first (FIPS 205, algorithms 9 and 15)."""
    levels = [leaves]
    while len(below := levels[-1]) > 1:
        first = number * len(below) // 2
        level = [
            hashed(kind, pair, len(levels), first + index, below[2 * index] + below[2 * index + 1])
            for index in range(len(below) // 2)
        ]
        levels.append(level)
    return levels


def _path(levels: list[list[bytes]], leaf: int) -> bytes:
    """Return the authentication path of a leaf: the sibling on each level below the root."""
    return b"".join(level[leaf >> height ^ 1] for height, level in enumerate(levels[:-1]))


def _root(hashed: _Hash, kind: int, pair: int, place: int, node: bytes, path: list[bytes]) -> bytes:
    """Return the root of the tree in which a leaf has this place and authentication path."""
    for height, sibling in enumerate(path, 1):
        children = sibling + node if place & 1 else node + sibling
        place >>= 1
        node = hashed(kind, pair, height, place, children)
    return node
