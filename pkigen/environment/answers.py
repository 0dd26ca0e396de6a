"""The OCSP answers about end entities: signed at the end of a build, beside the certificate (RFC 6960)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2s, sha256

from pkigen import der, names, oids
from pkigen.edits import edited
from pkigen.environment.work import Workshop
from pkigen.issue import Signer, certificate, signer
from pkigen.keys import PrivateKey, kind_of, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.model import (
    CertificatePlan,
    Entity,
    Extension,
    KeyIdentifier,
    Name,
    OcspForm,
    OcspPlan,
    Responder,
    Signature,
)
from pkigen.revocation import ocsp
from pkigen.store import CrlState, Store
from pkigen.x509 import Certificate

_FRESH_SHARE = 4
_SERIAL_OCTETS = 16
_DAY = timedelta(days=1)
_REASON = "keyCompromise"
_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


def answer_path(entity: Entity) -> str:
    """Where the answer about an end entity lies below the environment's folder."""
    return f"{entity.id}/{entity.name}.ocsp"


def due(
    asked: OcspPlan, state: CrlState | None, digest: str, damaged: Sequence[str], clock: datetime
) -> bool:
    """Whether an answer is to be signed anew; one that is to be out of force stays so."""
    if state is None or state.digest != digest or damaged:
        return True
    now, lifetime = int(clock.timestamp()), asked.lifetime or 0
    if asked.age < 0:
        return now >= state.this_update
    if lifetime <= 0 or asked.age > lifetime:
        return False
    return not state.this_update <= now <= state.next_update - lifetime // _FRESH_SHARE


def digest(entity: Entity, fingerprint: str, serial: int) -> str:
    """What an answer depends on: what is asked for, the issuing CA's certificate, the serial number."""
    text = f"{fingerprint} {serial} {entity.ocsp!r}"
    return blake2s(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Answerer:
    """Signs answers, and puts each beside the certificate that it is about."""

    store: Store
    workshop: Workshop
    clock: datetime
    entropy: Entropy | None

    def publish(self, entity: Entity, serial: int, digest: str) -> None:
        """Sign the answer about one end entity, and remember it."""
        asked = entity.ocsp
        assert asked is not None
        begins = self.clock - timedelta(seconds=asked.age)
        ends = None if asked.lifetime is None else begins + timedelta(seconds=asked.lifetime)
        data, path = self._response(entity, asked, serial, begins, ends), answer_path(entity)
        self.store.write_loose(path, [data])
        times = int(begins.timestamp()), int((ends or begins).timestamp())
        files = ((path, sha256(data).hexdigest()),)
        self.store.index.set_crl(CrlState(entity.id, 0, *times, digest, files))

    def _response(
        self, entity: Entity, asked: OcspPlan, serial: int, begins: datetime, ends: datetime | None
    ) -> bytes:
        if asked.form is not OcspForm.SOUND:
            return b"" if asked.form is OcspForm.EMPTY else _HTML
        if asked.status:
            return edited(ocsp.unsuccessful(asked.status), asked.outer, signed=True)
        issuer_id = entity.certificates[0].issuer_id
        issuing = self.workshop.signer(issuer_id)
        held = Certificate(self.workshop.authorities[issuer_id].certificate)
        issuer = ocsp.Issuer(held.subject_der, _bits(held.subject_public_key_info))
        key, path = issuing.key, tuple[bytes, ...]()
        if asked.responder is not None:
            key, own = self._delegate(entity, asked.responder, issuing, held.subject)
            path = (own,) if asked.responder.enclosed else ()
        responder = ocsp.by_key(_bits(public_key_info(key)))
        if asked.stranger:
            key = self.workshop.stranger(asked.stranger, kind_of(key).name)
        about = ocsp.cert_id(_mistaken(issuer, asked), serial ^ (asked.mistaken == "serial"))
        answers = [
            ocsp.SingleResponse(about, self._status(said, begins), begins, ends) for said in asked.answers
        ]
        produced = begins + timedelta(seconds=asked.produced)
        data = ocsp.response_data(responder, produced, answers, asked.extensions)
        basic = ocsp.basic_response(data, key, asked.signature, path, self.entropy, asked.edits)
        return edited(ocsp.successful(basic), asked.outer, signed=True)

    def _status(self, said: str, begins: datetime) -> ocsp.Revoked | str:
        return ocsp.Revoked(min(begins, self.clock) - _DAY, _REASON) if said == "revoked" else said

    def _delegate(
        self, entity: Entity, asked: Responder, issuing: Signer, issuer: Name
    ) -> tuple[PrivateKey, bytes]:
        """The responder's key and certificate."""
        label = f"OCSP responder for {entity.name}"
        key = self.workshop.stranger("OCSP responder", kind_of(issuing.key).name)
        own = signer(to_pkcs8(key))
        signs = own if asked.issued_by == "itself" else issuing
        subject = names.name([("CN", label[:64])])
        if asked.issued_by != "issuer":
            issuer = subject if asked.issued_by == "itself" else names.name([("CN", "Another Test Root CA")])
        if asked.issued_by == "another CA":
            signs = signer(to_pkcs8(self.workshop.stranger("other CA", "ec-p256")))
        plan = self._responder_plan(entity, asked, subject, issuer)
        return key, certificate(plan, public_key_info(key), own, signs, self.entropy)

    def _responder_plan(
        self, entity: Entity, asked: Responder, subject: Name, issuer: Name
    ) -> CertificatePlan:
        purposes = der.sequence(*map(der.oid, asked.purposes))
        drawn = self.workshop.entropy.read(_SERIAL_OCTETS, "responder", entity.id)
        end = self.clock - _DAY if asked.ended else self.clock + 365 * _DAY
        return CertificatePlan(
            issuer_id=entity.id,
            subject=subject,
            issuer=issuer,
            serial=int.from_bytes(drawn, "big") >> 1,
            not_before=end - 366 * _DAY,
            not_after=end,
            signature=Signature(),
            extensions=(
                Extension(oids.KEY_USAGE, True, der.named_bits(("digitalSignature",), oids.KEY_USAGES)),
                *((Extension(oids.EXTENDED_KEY_USAGE, False, purposes),) if asked.purposes else ()),
                Extension(oids.SUBJECT_KEY_IDENTIFIER, False, KeyIdentifier.SUBJECT),
                Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, KeyIdentifier.ISSUER),
                *asked.extensions,
            ),
            spec="",
            edits=asked.edits,
        )


def _mistaken(issuer: ocsp.Issuer, asked: OcspPlan) -> ocsp.Issuer:
    """The issuer, or one with another name or key."""
    if asked.mistaken == "name":
        return replace(issuer, name=names.encode(names.name([("CN", "Another Test Root CA")])))
    return replace(issuer, key=bytes(len(issuer.key))) if asked.mistaken == "key" else issuer


def _bits(public_key: bytes) -> bytes:
    """The bits of a SubjectPublicKeyInfo's key, of which key hashes are taken (RFC 6960, 4.1.1)."""
    _, bits = der.children(public_key)
    return der.contents(bits)[1:]
