"""OCSP responses made to a plan, sound or not: about a case, or about whoever is asked for (RFC 6960)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pkigen.asn1 import der, names, oids
from pkigen.asn1.edits import edited
from pkigen.issue import Signer, certificate, signer
from pkigen.keys import PrivateKey, kind_of, public_key_info, to_pkcs8
from pkigen.keys.entropy import Entropy
from pkigen.model import (
    CertificatePlan,
    Extension,
    KeyIdentifier,
    Name,
    OcspForm,
    OcspPlan,
    Responder,
    Signature,
)
from pkigen.revocation import ocsp
from pkigen.x509 import Certificate

_DAY = timedelta(days=1)
_REASON = "keyCompromise"
_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


@dataclass(frozen=True, slots=True)
class OcspQuery:
    """A certificate that an answer is about: its serial number, the digest of the CertID.

    ``stands`` is how it stands in truth, where an answer that is good is to say that.
    """

    serial: int
    digest: str = "sha1"
    stands: ocsp.RevokedStatus | str = "good"


@dataclass(frozen=True, slots=True)
class OcspResponseBuilder:
    """Makes responses for one issuing CA.

    ``stranger`` gives keys that belong to nobody, by a word for it and a kind. ``drawn`` are the octets of
    the serial number of a responder's certificate, ``entropy`` is None where signatures need not repeat.
    """

    issuing: Signer
    issuer: Certificate
    stranger: Callable[[str, str], PrivateKey]
    drawn: bytes
    clock: datetime
    entropy: Entropy | None = None

    def response(
        self, plan: OcspPlan, name: str, asked: Iterable[OcspQuery], extensions: tuple[Extension, ...] = ()
    ) -> bytes:
        """The response that a plan asks for, for a responder that is called after ``name``.

        ``extensions`` of a sound response give way to those of the plan.
        """
        if plan.form is not OcspForm.SOUND:
            return b"" if plan.form is OcspForm.EMPTY else _HTML
        if plan.status:
            return edited(ocsp.unsuccessful(plan.status), plan.outer, signed=True)
        begins = self.clock - timedelta(seconds=plan.age)
        ends = None if plan.lifetime is None else begins + timedelta(seconds=plan.lifetime)
        issuer = ocsp.Issuer(self.issuer.subject_der, key_bits(self.issuer.subject_public_key_info))
        key, path = self.issuing.key, tuple[bytes, ...]()
        if plan.responder is not None:
            key, own = self._delegate(name, plan.responder)
            path = (own,) if plan.responder.enclosed else ()
        responder = ocsp.by_key(key_bits(public_key_info(key)))
        if plan.stranger:
            key = self.stranger(plan.stranger, kind_of(key).name)
        mistaken, truly = _mistaken(issuer, plan), plan.answers == ("good",)
        answers = [
            ocsp.SingleResponse(
                ocsp.cert_id(mistaken, one.serial ^ (plan.mistaken == "serial"), one.digest),
                one.stands if truly else self._status(said, begins),
                begins,
                ends,
            )
            for one in asked
            for said in plan.answers
        ]
        produced = begins + timedelta(seconds=plan.produced)
        kept = {one.oid: one for one in (*extensions, *plan.extensions)}
        data = ocsp.response_data(responder, produced, answers, tuple(kept.values()))
        basic = ocsp.basic_response(data, key, plan.signature, path, self.entropy, plan.edits)
        return edited(ocsp.successful(basic), plan.outer, signed=True)

    def _status(self, said: str, begins: datetime) -> ocsp.RevokedStatus | str:
        return ocsp.RevokedStatus(min(begins, self.clock) - _DAY, _REASON) if said == "revoked" else said

    def _delegate(self, name: str, asked: Responder) -> tuple[PrivateKey, bytes]:
        """The responder's key and certificate."""
        key = self.stranger("OCSP responder", kind_of(self.issuing.key).name)
        own = signer(to_pkcs8(key))
        signs = own if asked.issued_by == "itself" else self.issuing
        subject, issuer = names.name([("CN", f"OCSP responder for {name}"[:64])]), self.issuer.subject
        if asked.issued_by != "issuer":
            issuer = subject if asked.issued_by == "itself" else names.name([("CN", "Another Test Root CA")])
        if asked.issued_by == "another CA":
            signs = signer(to_pkcs8(self.stranger("other CA", "ec-p256")))
        plan = self._responder_plan(asked, subject, issuer)
        return key, certificate(plan, public_key_info(key), own, signs, self.entropy)

    def _responder_plan(self, asked: Responder, subject: Name, issuer: Name) -> CertificatePlan:
        purposes = der.sequence(*map(der.oid, asked.purposes))
        end = self.clock - _DAY if asked.ended else self.clock + 365 * _DAY
        return CertificatePlan(
            issuer_id="",
            subject=subject,
            issuer=issuer,
            serial=int.from_bytes(self.drawn, "big") >> 1,
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


def _mistaken(issuer: ocsp.Issuer, plan: OcspPlan) -> ocsp.Issuer:
    """The issuer, or one with another name or key."""
    if plan.mistaken == "name":
        return replace(issuer, name=names.encode(names.name([("CN", "Another Test Root CA")])))
    return replace(issuer, key=bytes(len(issuer.key))) if plan.mistaken == "key" else issuer


def key_bits(public_key: bytes) -> bytes:
    """The bits of a SubjectPublicKeyInfo's key, of which key hashes are taken (RFC 6960, 4.1.1)."""
    _, bits = der.children(public_key)
    return der.contents(bits)[1:]
