"""MACs with a shared secret: the password-based MAC of CMP (RFC 9810, 5.1.3.1) and PBMAC1 (RFC 8018)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.asn1 import TLV

from pkigen.asn1 import der, oids
from pkigen.enrolment.cmp.structures import Pbkdf2Parameters, Pbmac1Parameters, PbmParameter
from pkigen.enrolment.decode import Undecodable, decode, dotted, raw

PBM, PBMAC1 = "1.2.840.113533.7.66.13", "1.2.840.113549.1.5.14"
_PBKDF2 = "1.2.840.113549.1.5.12"
_HMAC = "1.2.840.113549.2."
_MACS = {
    "1.3.6.1.5.5.8.1.2": "sha1",
    _HMAC + "7": "sha1",
    _HMAC + "8": "sha224",
    _HMAC + "9": "sha256",
    _HMAC + "10": "sha384",
    _HMAC + "11": "sha512",
}
_MOST_ITERATIONS = 100_000
"""A request must not occupy the server for longer than this takes."""
_MOST_SALT = 1024
_SALT = 16
_LONGEST_KEY = 1024


class UnsupportedMac(ValueError):
    """A MAC, or parameters of one, that the server does not support."""


@dataclass(frozen=True)
class Mac:
    """A MAC without its secret: digests by the names of hashlib; ``algorithm`` is the OID PBM or PBMAC1.

    ``key_length`` is None for the length of the PRF's output.
    """

    algorithm: str
    salt: bytes
    iterations: int
    derivation_digest: str
    mac_oid: str
    prf_oid: str = ""
    key_length: int | None = None

    def fresh(self) -> Mac:
        """Return the same MAC with a new salt, for a response."""
        return Mac(
            self.algorithm,
            secrets.token_bytes(_SALT),
            self.iterations,
            self.derivation_digest,
            self.mac_oid,
            self.prf_oid,
            self.key_length,
        )

    def value(self, secret: bytes, data: bytes) -> bytes:
        """Return the MAC of ``data``."""
        if self.algorithm == PBM:
            key = secret + self.salt
            for _ in range(self.iterations):
                key = hashlib.new(self.derivation_digest, key, usedforsecurity=False).digest()
        else:
            digest = self.derivation_digest
            key = hashlib.pbkdf2_hmac(digest, secret, self.salt, self.iterations, self.key_length)
        return hmac.digest(key, data, _MACS[self.mac_oid])

    def encode(self) -> bytes:
        """Return the AlgorithmIdentifier."""
        mac = _algorithm(self.mac_oid)
        salt, iterations = der.octet_string(self.salt), der.integer(self.iterations)
        if self.algorithm == PBM:
            (digest,) = (oid for oid, name in oids.DIGESTS.items() if name == self.derivation_digest)
            return der.sequence(der.oid(PBM), der.sequence(salt, _algorithm(digest), iterations, mac))
        length = () if self.key_length is None else (der.integer(self.key_length),)
        parameters = der.sequence(salt, iterations, *length, _algorithm(self.prf_oid))
        derivation = der.sequence(der.oid(_PBKDF2), parameters)
        return der.sequence(der.oid(PBMAC1), der.sequence(derivation, mac))


def read_mac(algorithm: list[TLV]) -> Mac:
    """Return the MAC of an AlgorithmIdentifier; UnsupportedMac, or Undecodable if it is malformed."""
    if len(algorithm) != 2:
        raise Undecodable("the MAC has no parameters")
    oid, parameters = dotted(algorithm[0]), raw(algorithm[1])
    mac = _read_pbm(parameters) if oid == PBM else _read_pbmac1(parameters)
    if not 1 <= mac.iterations <= _MOST_ITERATIONS:
        raise UnsupportedMac(f"{mac.iterations} iterations; the limit is {_MOST_ITERATIONS}")
    if len(mac.salt) > _MOST_SALT:
        raise UnsupportedMac(f"a salt of {len(mac.salt)} bytes; the limit is {_MOST_SALT}")
    if mac.key_length is not None and not 1 <= mac.key_length <= _LONGEST_KEY:
        raise UnsupportedMac(f"a key of {mac.key_length} bytes; the limit is {_LONGEST_KEY}")
    return mac


def _read_pbm(data: bytes) -> Mac:
    pbm = decode(PbmParameter, data)
    digest = oids.DIGESTS.get(_oid(pbm.digest), "")
    if digest in ("", "md5"):
        raise UnsupportedMac("the one-way function of the password-based MAC is not SHA-1 or SHA-2")
    return Mac(PBM, pbm.salt, pbm.iterations, digest, _mac_oid(pbm.mac))


def _read_pbmac1(data: bytes) -> Mac:
    parameters = decode(Pbmac1Parameters, data)
    if _oid(parameters.derivation) != _PBKDF2 or len(parameters.derivation) != 2:
        raise UnsupportedMac("PBMAC1 without PBKDF2")
    derivation = decode(Pbkdf2Parameters, raw(parameters.derivation[1]))
    prf = _mac_oid(derivation.prf) if derivation.prf is not None else _HMAC + "7"
    mac, length = _mac_oid(parameters.mac), derivation.key_length
    return Mac(PBMAC1, derivation.salt, derivation.iterations, _MACS[prf], mac, prf, length)


def _mac_oid(algorithm: list[TLV]) -> str:
    oid = _oid(algorithm)
    if oid not in _MACS:
        raise UnsupportedMac(f"the MAC algorithm {oid} is not HMAC with SHA-1 or SHA-2")
    return oid


def _oid(algorithm: list[TLV]) -> str:
    if not algorithm:
        raise Undecodable("an AlgorithmIdentifier is empty")
    return dotted(algorithm[0])


def _algorithm(oid: str) -> bytes:
    return der.sequence(der.oid(oid), der.null())
