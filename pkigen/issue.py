"""Encodes and signs the certificates of a plan as DER. Pure: no I/O, and no knowledge of faults.

Returns DER and not certificate objects, since faulty certificates need not parse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from pkigen.asn1 import der, names
from pkigen.asn1.edits import edited
from pkigen.keys import PrivateKey, key_identifier, load_private, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.keys.signing import sign, signature_algorithm, signing
from pkigen.model import CertificatePlan, Entity, Extension, Issued, KeyIdentifier, Name

_VERSION_3 = der.explicit(0, der.integer(2))
_MOST_ENCODED = 64


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


def issue_alike(
    entities: Sequence[Entity],
    keys: Sequence[PrivateKey],
    issuer: Signer,
    chains: Sequence[tuple[bytes, ...]],
    entropy: Entropy | None,
) -> list[Issued]:
    """Sign entities with one certificate each, of one issuer and with one signature algorithm.

    The result is that of ``issue``. Each step is done for all of them: the tables of elliptic curves would
    otherwise evict all other code and data from the processor's caches for each certificate, which takes
    half of the time.
    """
    plans = [entity.certificates[0] for entity in entities]
    signature = plans[0].signature
    algorithm = signature_algorithm(issuer.key, signature)
    spkis = [public_key_info(key) for key in keys]
    encoder = CertificateEncoder(issuer.key_identifier)
    signed_parts = [
        tbs_certificate(plan, spki, algorithm, key_identifier(spki), issuer.key_identifier, encoder)
        for plan, spki in zip(plans, spkis, strict=True)
    ]
    sign_one = signing(issuer.key, signature, entropy)
    signatures = [sign_one(tbs) for tbs in signed_parts]
    pkcs8 = [to_pkcs8(key) for key in keys]
    return [
        Issued(entity, key, spki, (_signed(entity.certificates[0], tbs, algorithm, signed),), chain)
        for entity, key, spki, tbs, signed, chain in zip(
            entities, pkcs8, spkis, signed_parts, signatures, chains, strict=True
        )
    ]


def certificate(
    plan: CertificatePlan, spki: bytes, subject: bytes, issuer: Signer, entropy: Entropy | None
) -> bytes:
    """Return a signed Certificate (RFC 5280, section 4.1) in DER.

    ``spki`` is the SubjectPublicKeyInfo in DER, ``subject`` its key identifier. Without ``entropy`` the
    signature may be random.
    """
    algorithm = signature_algorithm(issuer.key, plan.signature)
    tbs = tbs_certificate(plan, spki, algorithm, subject, issuer.key_identifier)
    return _signed(plan, tbs, algorithm, sign(issuer.key, tbs, plan.signature, entropy))


def _signed(plan: CertificatePlan, tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    data = der.sequence(tbs, algorithm, der.bit_string(signature))
    return edited(data, plan.edits, signed=False) if plan.edits else data


def tbs_certificate(
    plan: CertificatePlan,
    spki: bytes,
    algorithm: bytes,
    subject: bytes,
    issuer: bytes,
    encoder: CertificateEncoder | None = None,
) -> bytes:
    """Return the TBSCertificate (section 4.1.2) in DER; ``subject`` and ``issuer`` are key identifiers.

    ``encoder`` encodes several certificates of one issuer.
    """
    encoder = encoder or CertificateEncoder(issuer)
    tbs = to_be_signed(
        plan.serial,
        algorithm,
        encoder.issuer(plan.issuer),
        _validity(plan.not_before, plan.not_after),
        names.encode(plan.subject),
        spki,
        [encoder.extension(extension, subject) for extension in plan.extensions],
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


@lru_cache(maxsize=16)
def _validity(not_before: datetime, not_after: datetime) -> bytes:
    return der.sequence(der.time(not_before), der.time(not_after))


class CertificateEncoder:
    """Encodes parts of the certificates of one issuer, which has the key identifier ``identifier``.

    Names and extensions that many certificates share are the same objects, which are encoded once.
    """

    def __init__(self, identifier: bytes) -> None:
        self._identifier = identifier
        self._issuer: tuple[Name | None, bytes] = None, b""
        self._encoded: dict[int, tuple[Extension, bytes]] = {}

    def issuer(self, name: Name) -> bytes:
        """Return the name of the issuer in DER."""
        if self._issuer[0] is not name:
            self._issuer = name, names.encode(name)
        return self._issuer[1]

    def extension(self, extension: Extension, subject: bytes) -> bytes:
        """Return an Extension in DER; ``subject`` is the key identifier of the certificate's key."""
        if extension.value is KeyIdentifier.SUBJECT:
            return _extension(extension, der.octet_string(subject))
        known = self._encoded.get(id(extension))
        if known is not None:
            return known[1]
        if len(self._encoded) >= _MOST_ENCODED:
            self._encoded.clear()
        value = extension.value
        if not isinstance(value, bytes):
            value = der.sequence(der.tlv(0x80, self._identifier))
        encoded = _extension(extension, value)
        self._encoded[id(extension)] = extension, encoded  # keeps the object, and so its id
        return encoded


def _extension(extension: Extension, value: bytes) -> bytes:
    flag = (der.boolean(True),) if extension.critical else ()
    return der.sequence(der.oid(extension.oid), *flag, der.octet_string(value))
