"""Plan -> Issued: keys come in, DER goes out. Knows no fault by name, touches no disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pkigen.asn1 import der, names
from pkigen.asn1.edits import edited
from pkigen.keys import PrivateKey, key_identifier, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.model import CertificatePlan, Entity, Extension, Issued, KeyIdentifier

_VERSION_3 = der.explicit(0, der.integer(2))


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs certificates and CRLs, and the identifier by which it is found."""

    key: PrivateKey = field(repr=False)
    key_identifier: bytes


def signer(pkcs8: bytes, identifier: bytes | None = None) -> Signer:
    """A signer from its key; ``identifier`` when its certificate names the key in its own way."""
    key = load_private(pkcs8)
    return Signer(key, identifier or key_identifier(public_key_info(key)))


def issue(
    entity: Entity,
    key: PrivateKey,
    signers: Mapping[str, Signer],
    chain: tuple[bytes, ...],
    entropy: Entropy | None,
    strangers: Mapping[str, PrivateKey],
) -> Issued:
    """Sign every certificate of an entity.

    ``signers`` holds the issuing authorities by id; the entity's own id stands for itself.
    ``chain`` is the DER of the authorities above. With ``entropy`` every signature repeats.
    ``strangers`` are the keys that sign in the place of an issuer.
    """
    spki = public_key_info(key)
    own = Signer(key, key_identifier(spki))
    signed = []
    for plan in entity.certificates:
        issuer = own if plan.issuer_id == entity.id else signers[plan.issuer_id]
        if plan.stranger:
            issuer = Signer(strangers[plan.stranger], issuer.key_identifier)
        signed.append(certificate(plan, spki, own, issuer, entropy))
    return Issued(entity, to_pkcs8(key), spki, tuple(signed), chain)


def certificate(
    plan: CertificatePlan, spki: bytes, subject: Signer, issuer: Signer, entropy: Entropy | None
) -> bytes:
    """One Certificate (RFC 5280, 4.1) in DER."""
    algorithm = signature_algorithm(issuer.key, plan.signature)
    tbs = tbs_certificate(plan, spki, algorithm, subject.key_identifier, issuer.key_identifier)
    signature = sign(issuer.key, tbs, plan.signature, entropy)
    return edited(der.sequence(tbs, algorithm, der.bit_string(signature)), plan.edits, signed=False)


def tbs_certificate(
    plan: CertificatePlan, spki: bytes, algorithm: bytes, subject: bytes, issuer: bytes
) -> bytes:
    """What is signed (4.1.2), in DER; ``subject`` and ``issuer`` are the two key identifiers."""
    extensions = (_extension(extension, subject, issuer) for extension in plan.extensions)
    tbs = der.sequence(
        _VERSION_3,
        der.integer(plan.serial),
        algorithm,
        names.encode(plan.issuer),
        der.sequence(der.time(plan.not_before), der.time(plan.not_after)),
        names.encode(plan.subject),
        spki,
        *((der.explicit(3, der.sequence(*extensions)),) if plan.extensions else ()),
    )
    return edited(tbs, plan.edits, signed=True) if plan.edits else tbs


def _extension(extension: Extension, subject: bytes, issuer: bytes) -> bytes:
    if extension.value is KeyIdentifier.SUBJECT:
        return _encoded(extension.oid, extension.critical, der.octet_string(subject))
    if extension.value is KeyIdentifier.ISSUER:
        return _encoded(extension.oid, extension.critical, der.sequence(der.tlv(0x80, issuer)))
    return _encoded(extension.oid, extension.critical, extension.value)


@lru_cache(maxsize=256)
def _encoded(oid: str, critical: bool, value: bytes) -> bytes:
    """An Extension in DER; most are those of many certificates."""
    flag = (der.boolean(True),) if critical else ()
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))
