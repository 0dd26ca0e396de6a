"""Encodes planned certificates with placeholders for keys and signatures, to check them before issuance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.issue import tbs_certificate
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.signing import algorithm_of
from pkigen.model import CertificatePlan, Entity
from pkigen.x509 import Certificate

_RSA, _EC, _DSA = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_IDENTIFIER = bytes(20)
_NO_SIGNATURE = der.bit_string(bytes(32))


def placeholder(
    plan: CertificatePlan, kind: str, issuer_kind: str, public_key: bytes | None = None
) -> Certificate:
    """Return the certificate of a plan with placeholder keys of the given kinds for subject and issuer.

    ``public_key`` is the subject's SubjectPublicKeyInfo (DER) if it is known.
    """
    algorithm = algorithm_of(parse_kind(issuer_kind), plan.signature)
    spki = public_key or _public_key(parse_kind(kind))
    tbs = tbs_certificate(plan, spki, algorithm, _IDENTIFIER, _IDENTIFIER)
    return Certificate(der.sequence(tbs, algorithm, _NO_SIGNATURE))


def is_encodable(entity: Entity, authorities: Mapping[str, Entity]) -> bool:
    """Return whether all edits of an entity's certificates find the elements that they change."""
    for plan in entity.certificates:
        issuer = authorities.get(plan.issuer_id, entity)
        try:
            algorithm = algorithm_of(parse_kind(issuer.key), plan.signature)
            spki = entity.given.public_key if entity.given else _public_key(parse_kind(entity.key))
            tbs = tbs_certificate(plan, spki, algorithm, _IDENTIFIER, _IDENTIFIER)
            edited(der.sequence(tbs, algorithm, _NO_SIGNATURE), plan.edits, signed=False)
        except (IndexError, ValueError):
            return False
    return True


@lru_cache(maxsize=64)
def _public_key(kind: KeyKind) -> bytes:
    """Return a SubjectPublicKeyInfo whose key is a number or a point of the correct size."""
    if kind.family == "rsa":
        numbers = der.sequence(der.integer(1 << (kind.size - 1) | 1), der.integer(65537))
        return der.sequence(der.sequence(der.oid(_RSA), der.null()), der.bit_string(numbers))
    if kind.family == "ec":
        point = b"\x04" + bytes((kind.size + 7) // 8 * 2)
        algorithm = der.sequence(der.oid(_EC), der.oid(kind.oid))
        return der.sequence(algorithm, der.bit_string(point))
    return der.sequence(der.sequence(der.oid(kind.oid or _DSA)), der.bit_string(bytes(32)))


def planned(entity: Entity, authorities: Iterable[Entity]) -> Certificate:
    """Return the planned certificate of an entity, or the imported one; its issuer is in ``authorities``."""
    if entity.imported is not None:
        return Certificate(entity.imported.certificate)
    plan = entity.certificates[0]
    issuer = entity if plan.issuer_id == entity.id else None
    issuer = issuer or next(one for one in authorities if one.id == plan.issuer_id)
    return placeholder(plan, entity.key, issuer.key, entity.given.public_key if entity.given else None)
