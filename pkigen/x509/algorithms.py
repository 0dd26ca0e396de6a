"""Decodes the AlgorithmIdentifier of signatures: names and digests (RFC 4055, 5758, 8410, 9881)."""

from __future__ import annotations

from dataclasses import dataclass

from pkigen.asn1 import der, oids
from pkigen.x509.decode import Malformed, decoder, elements

_RSA, _ECDSA = "1.2.840.113549.1.1.", "1.2.840.10045.4."
_PSS = _RSA + "10"
_WITH_NULL = tuple(_RSA + number for number in ("1", "2", "4", "5", "11", "12", "13", "14"))
_NAMES = {
    _RSA + "2": ("md2WithRSAEncryption", "md2"),
    _RSA + "4": ("md5WithRSAEncryption", "md5"),
    _RSA + "5": ("sha1WithRSAEncryption", "sha1"),
    _RSA + "11": ("sha256WithRSAEncryption", "sha256"),
    _RSA + "12": ("sha384WithRSAEncryption", "sha384"),
    _RSA + "13": ("sha512WithRSAEncryption", "sha512"),
    _RSA + "14": ("sha224WithRSAEncryption", "sha224"),
    "2.16.840.1.101.3.4.3.14": ("sha3-256WithRSAEncryption", "sha3-256"),
    "2.16.840.1.101.3.4.3.15": ("sha3-384WithRSAEncryption", "sha3-384"),
    "2.16.840.1.101.3.4.3.16": ("sha3-512WithRSAEncryption", "sha3-512"),
    _ECDSA + "1": ("ecdsa-with-SHA1", "sha1"),
    _ECDSA + "3.1": ("ecdsa-with-SHA224", "sha224"),
    _ECDSA + "3.2": ("ecdsa-with-SHA256", "sha256"),
    _ECDSA + "3.3": ("ecdsa-with-SHA384", "sha384"),
    _ECDSA + "3.4": ("ecdsa-with-SHA512", "sha512"),
    "1.3.101.112": ("Ed25519", ""),
    "1.3.101.113": ("Ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", ""),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", ""),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", ""),
    "1.2.840.10040.4.3": ("dsa-with-SHA1", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa-with-SHA224", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-SHA256", "sha256"),
    "2.16.840.1.101.3.4.3.3": ("dsa-with-SHA384", "sha384"),
    "2.16.840.1.101.3.4.3.4": ("dsa-with-SHA512", "sha512"),
    _RSA + "3": ("md4WithRSAEncryption", "md4"),
    _RSA + "15": ("sha512-224WithRSAEncryption", "sha512-224"),
    _RSA + "16": ("sha512-256WithRSAEncryption", "sha512-256"),
    "2.16.840.1.101.3.4.3.13": ("sha3-224WithRSAEncryption", "sha3-224"),
    "1.3.14.3.2.29": ("sha1WithRSA (OIW)", "sha1"),
    "1.3.14.3.2.15": ("shaWithRSA (OIW)", "sha0"),
    "1.3.14.3.2.3": ("md5WithRSA (OIW)", "md5"),
    "1.3.14.3.2.27": ("dsaWithSHA1 (OIW)", "sha1"),
    "1.3.36.3.3.1.2": ("ripemd160WithRSAEncryption", "ripemd160"),
    "2.16.840.1.101.3.4.3.9": ("ecdsa-with-SHA3-224", "sha3-224"),
    "2.16.840.1.101.3.4.3.10": ("ecdsa-with-SHA3-256", "sha3-256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa-with-SHA3-384", "sha3-384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa-with-SHA3-512", "sha3-512"),
    "1.2.156.10197.1.501": ("SM2-with-SM3", "sm3"),
    "1.2.643.2.2.3": ("GOST R 34.10-2001 with GOST R 34.11-94", "gost94"),
    "1.2.643.7.1.1.3.2": ("GOST R 34.10-2012 (256 bits) with Streebog-256", "streebog256"),
    "1.2.643.7.1.1.3.3": ("GOST R 34.10-2012 (512 bits) with Streebog-512", "streebog512"),
    **{
        f"2.16.840.1.101.3.4.3.{20 + number}": (f"SLH-DSA-{name}", "")
        for number, name in enumerate(
            f"{digest}-{size}{speed}"
            for digest in ("SHA2", "SHAKE")
            for size in (128, 192, 256)
            for speed in "sf"
        )
    },
}
SIGNATURE_ALGORITHMS = ("RSASSA-PSS", *(name for name, _ in _NAMES.values()))
"""The names that ``AlgorithmIdentifier.name`` can have; for other algorithms it is the OID."""
DIGESTS = (*oids.DIGESTS.values(), "md2", "sha3-256", "sha3-384", "sha3-512")


@dataclass(frozen=True, slots=True)
class AlgorithmIdentifier:
    """The OID of an algorithm and its parameters in DER; None if they are absent."""

    oid: str
    parameters: bytes | None

    @property
    def name(self) -> str:
        """The name of the algorithm in RFCs, or its OID."""
        return "RSASSA-PSS" if self.oid == _PSS else _NAMES.get(self.oid, (self.oid, ""))[0]

    @property
    def digest(self) -> str:
        """The name of the digest; "" for an algorithm with a built-in digest, or an unknown one."""
        return self._pss_digest() if self.oid == _PSS else _NAMES.get(self.oid, ("", ""))[1]

    @decoder("the RSASSA-PSS parameters")
    def _pss_digest(self) -> str:
        """Return the hashAlgorithm, [0] of RSASSA-PSS-params; the default is SHA-1 (RFC 4055, 3.1)."""
        for parameter in der.children(self.parameters or b"\x30\x00"):
            if parameter[0] == 0xA0:
                (algorithm,) = der.children(parameter)
                oid = der.dotted(der.children(algorithm)[0])
                return oids.DIGESTS.get(oid, oid)
        return "sha1"

    def __str__(self) -> str:
        return f"{self.name} with {self.digest}" if self.oid == _PSS else self.name


@decoder("the algorithm identifier")
def algorithm_identifier(data: bytes) -> AlgorithmIdentifier:
    """Decode an AlgorithmIdentifier (4.1.1.2)."""
    oid, *parameters = elements(data, "the algorithm identifier")
    if len(parameters) > 1:
        raise Malformed("the algorithm identifier has more than two elements")
    return AlgorithmIdentifier(der.dotted(oid), parameters[0] if parameters else None)


def lacks_null(algorithm: AlgorithmIdentifier) -> bool:
    """Return whether an RSA algorithm has other parameters than the NULL of RFC 3279, 2.2.1 and 2.3.1."""
    return algorithm.oid in _WITH_NULL and algorithm.parameters != der.null()
