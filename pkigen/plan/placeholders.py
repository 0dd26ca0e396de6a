"""A planned certificate in DER before there are keys: to be looked at, never to be used.

Key and signature are of the right kind and size, and hold nothing: what a certificate will say can
be judged before anything is issued.
"""

from __future__ import annotations

from functools import lru_cache

from pkigen.asn1 import der
from pkigen.issue import tbs_certificate
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.signing import algorithm_of
from pkigen.model import CertificatePlan
from pkigen.x509 import Certificate

_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_CURVES = {"ec-p256": "1.2.840.10045.3.1.7", "ec-p384": "1.3.132.0.34", "ec-p521": "1.3.132.0.35"}
_PURE = {
    "ed25519": "1.3.101.112",
    "ed448": "1.3.101.113",
    "ml-dsa-44": "2.16.840.1.101.3.4.3.17",
    "ml-dsa-65": "2.16.840.1.101.3.4.3.18",
    "ml-dsa-87": "2.16.840.1.101.3.4.3.19",
}
_IDENTIFIER = bytes(20)
_NO_SIGNATURE = der.bit_string(bytes(32))


def placeholder(plan: CertificatePlan, kind: str, issuer_kind: str) -> Certificate:
    """The certificate of a plan, under a key of a kind, as an issuer with a key of a kind would make it."""
    algorithm = algorithm_of(parse_kind(issuer_kind), plan.signature)
    tbs = tbs_certificate(plan, _public_key(parse_kind(kind)), algorithm, _IDENTIFIER, _IDENTIFIER)
    return Certificate(der.sequence(tbs, algorithm, _NO_SIGNATURE))


@lru_cache(maxsize=64)
def _public_key(kind: KeyKind) -> bytes:
    """A SubjectPublicKeyInfo whose key is a number or a point of the right size."""
    if kind.family == "rsa":
        numbers = der.sequence(der.integer(1 << (kind.size - 1) | 1), der.integer(65537))
        return der.sequence(der.sequence(der.oid(_RSA), der.null()), der.bit_string(numbers))
    if kind.family == "ec":
        point = b"\x04" + bytes((kind.size + 7) // 8 * 2)
        algorithm = der.sequence(der.oid(_EC), der.oid(_CURVES[kind.name]))
        return der.sequence(algorithm, der.bit_string(point))
    return der.sequence(der.sequence(der.oid(_PURE[kind.name])), der.bit_string(bytes(32)))
