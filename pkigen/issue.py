"""Encodes and signs the certificates of a plan as DER. Pure: no I/O, and no knowledge of faults.

Returns DER and not certificate objects, since faulty certificates need not parse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A key that signs certificates and CRLs, and its key identifier."""

    key: PrivateKey = field(repr=False)
    key_identifier: bytes


def signer(pkcs8: bytes, identifier: bytes | None = None) -> Signer:
    """Load a signer; ``identifier`` is the key identifier in its certificate (default: the usual hash)."""
    key = load_private(pkcs8)
    return Signer(key, identifier or key_identifier(public_key_info(key)))


def issue(
    entity: Entity,
    key: PrivateKey | None,
    signers: Mapping[str, Signer],
    chain: tuple[bytes, ...],
    entropy: Entropy | None,
    rogue_keys: Mapping[str, PrivateKey],
) -> Issued:
    """Sign every certificate of an entity.

    ``signers`` are the issuing authorities by id; a plan with the entity's own id is self-signed. ``chain``
    are the certificates of the authorities above (DER). ``key`` is None if only the owner of the entity's
    given key has the private key. With ``entropy`` signatures are deterministic.
    ``rogue_keys`` sign instead of an issuer, by label.
    """
    if key is None:
        assert entity.given is not None
        spki = entity.given.public_key
    else:
        spki = public_key_info(key)
    identifier = key_identifier(spki)
    own = {} if key is None else {entity.id: Signer(key, identifier)}
    signed = []
    for plan in entity.certificates:
        issuer = {**signers, **own}[plan.issuer_id]
        if plan.rogue_key:
            issuer = Signer(rogue_keys[plan.rogue_key], issuer.key_identifier)
        signed.append(certificate(plan, spki, identifier, issuer, entropy))
    return Issued(entity, None if key is None else to_pkcs8(key), spki, tuple(signed), chain)


def certificate(
    plan: CertificatePlan, spki: bytes, subject: bytes, issuer: Signer, entropy: Entropy | None
) -> bytes:
    """Return a signed Certificate (RFC 5280, section 4.1) in DER.

    ``spki`` is the SubjectPublicKeyInfo in DER, ``subject`` its key identifier. Without ``entropy`` the
    signature may be random.
    """
    algorithm = signature_algorithm(issuer.key, plan.signature)
    tbs = tbs_certificate(plan, spki, algorithm, subject, issuer.key_identifier)
    signature = sign(issuer.key, tbs, plan.signature, entropy)
    return edited(der.sequence(tbs, algorithm, der.bit_string(signature)), plan.edits, signed=False)


def tbs_certificate(
    plan: CertificatePlan, spki: bytes, algorithm: bytes, subject: bytes, issuer: bytes
) -> bytes:
    """Return the TBSCertificate (section 4.1.2) in DER; ``subject`` and ``issuer`` are key identifiers."""
    tbs = to_be_signed(
        plan.serial,
        algorithm,
        names.encode(plan.issuer),
        der.sequence(der.time(plan.not_before), der.time(plan.not_after)),
        names.encode(plan.subject),
        spki,
        [encode_extension(extension, subject, issuer) for extension in plan.extensions],
    )
    return edited(tbs, plan.edits, signed=True) if plan.edits else tbs


def to_be_signed(
    serial: int,
    algorithm: bytes,
    issuer: bytes,
    validity: bytes,
    subject: bytes,
    spki: bytes,
    extensions: Sequence[bytes],
) -> bytes:
    """Return the TBSCertificate of its parts in DER."""
    return der.sequence(
        _VERSION_3,
        der.integer(serial),
        algorithm,
        issuer,
        validity,
        subject,
        spki,
        *((der.explicit(3, der.sequence(*extensions)),) if extensions else ()),
    )


def encode_extension(extension: Extension, subject: bytes, issuer: bytes) -> bytes:
    """Return an Extension in DER; ``subject`` and ``issuer`` are key identifiers."""
    if extension.value is KeyIdentifier.SUBJECT:
        return _encoded(extension.oid, extension.critical, der.octet_string(subject))
    if extension.value is KeyIdentifier.ISSUER:
        return _encoded(extension.oid, extension.critical, der.sequence(der.tlv(0x80, issuer)))
    return _encoded(extension.oid, extension.critical, extension.value)


@lru_cache(maxsize=256)
def _encoded(oid: str, critical: bool, value: bytes) -> bytes:
    """Return an Extension in DER; cached, since many certificates have the same extensions."""
    flag = (der.boolean(True),) if critical else ()
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))
