"""Builds OCSP responses, correct or faulty, as an OcspPlan requires (RFC 6960)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pkigen.asn1 import der, names, oids
from pkigen.asn1.edits import edited
from pkigen.clock import later
from pkigen.environment.published.stored_keys import SigningAuthority
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

SERIAL_BYTES = 16
_DAY = timedelta(days=1)
_REASON = "keyCompromise"
_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


@dataclass(frozen=True, slots=True)
class OcspQuery:
    """A certificate that a response is about: its serial number, and the digest of the CertID.

    ``status`` is the certificate's true status. A plan whose only answer is ``good`` reports it.
    """

    serial: int
    digest: str = "sha1"
    status: ocsp.RevokedStatus | str = "good"


@dataclass(frozen=True, slots=True)
class OcspResponseBuilder:
    """Builds responses for one issuing CA.

    ``rogue_key`` returns an unrelated key by a label and a kind, ``authority`` another authority by its ID.
    ``serial_bytes`` become the serial number of a responder certificate. Without ``entropy`` signatures are
    random.
    """

    issuing: Signer
    issuer: Certificate
    rogue_key: Callable[[str, str], PrivateKey]
    authority: Callable[[str], SigningAuthority]
    serial_bytes: bytes
    clock: datetime
    entropy: Entropy | None = None

    def response(
        self, plan: OcspPlan, name: str, queries: Iterable[OcspQuery], extensions: tuple[Extension, ...] = ()
    ) -> bytes:
        """Return the response that a plan requires; ``name`` is part of a responder's subject.

        The plan's extensions replace those of ``extensions`` with the same OID.
        """
        if plan.form is not OcspForm.SOUND:
            return b"" if plan.form is OcspForm.EMPTY else _HTML
        if plan.status:
            return edited(ocsp.unsuccessful(plan.status), plan.outer, signed=True)
        this_update = later(self.clock, -plan.age)
        next_update = None if plan.lifetime is None else later(this_update, plan.lifetime)
        key, certificates = self.issuing.key, (self.issuer.der,) if plan.certificates else ()
        if plan.responder is not None:
            key, responder_certificate = self._responder(name, plan.responder)
            certificates = (responder_certificate,) if plan.responder.enclosed else ()
        responder_id = ocsp.by_key(key_bits(public_key_info(key)))
        if plan.rogue_key:
            key = self.rogue_key(plan.rogue_key, kind_of(key).name)
        issuer, reports_true_status = self._issuer_in_cert_id(plan), plan.answers == ("good",)
        singles = [
            ocsp.SingleResponse(
                ocsp.cert_id(
                    issuer,
                    query.serial ^ (plan.wrong_cert_id_field == "serial"),
                    plan.cert_id_digest or query.digest,
                ),
                query.status if reports_true_status else self._status(answer, this_update),
                this_update,
                next_update,
            )
            for query in queries
            for answer in plan.answers
        ]
        produced_at = later(this_update, plan.produced)
        by_oid = {one.oid: one for one in (*extensions, *plan.extensions)}
        if not plan.nonce:
            by_oid.pop(oids.OCSP_NONCE, None)
        data = ocsp.response_data(responder_id, produced_at, singles, tuple(by_oid.values()))
        basic = ocsp.basic_response(data, key, plan.signature, certificates, self.entropy, plan.edits)
        return edited(ocsp.successful(basic), plan.outer, signed=True)

    def _issuer_in_cert_id(self, plan: OcspPlan) -> ocsp.Issuer:
        """Return the issuer, with the wrong name or key if the plan requires a wrong CertID."""
        issuer = ocsp.Issuer(self.issuer.subject_der, key_bits(self.issuer.subject_public_key_info))
        if plan.wrong_cert_id_field == "name":
            return replace(issuer, name=names.encode(names.name([("CN", "Another Test Root CA")])))
        return replace(issuer, key=bytes(len(issuer.key))) if plan.wrong_cert_id_field == "key" else issuer

    def _status(self, answer: str, this_update: datetime) -> ocsp.RevokedStatus | str:
        if answer != "revoked":
            return answer
        return ocsp.RevokedStatus(min(this_update, self.clock), _REASON)

    def _responder(self, name: str, plan: Responder) -> tuple[PrivateKey, bytes]:
        """Return the key and certificate of a delegated responder (RFC 6960, section 4.2.2.2)."""
        key = self.rogue_key("OCSP responder", kind_of(self.issuing.key).name)
        own = signer(to_pkcs8(key))
        subject = names.name([("CN", f"OCSP responder for {name}"[:64])])
        issuer, signs = self.issuer, self.issuing
        if plan.issued_by not in ("issuer", "itself"):
            other = self.authority(plan.issued_by)
            issuer, signs = Certificate(other.certificate), other.signer
        certificate_plan = self._responder_plan(plan, subject, issuer)
        if plan.issued_by == "itself":
            certificate_plan, signs = replace(certificate_plan, issuer=subject), own
        spki = public_key_info(key)
        return key, certificate(certificate_plan, spki, own.key_identifier, signs, self.entropy)

    def _responder_plan(self, plan: Responder, subject: Name, issuer: Certificate) -> CertificatePlan:
        purposes = der.sequence(*map(der.oid, plan.purposes))
        begin, end = self.clock - _DAY, self.clock + 365 * _DAY
        if plan.ended:  # before the issuer began, which may be as old as the environment
            begin, end = begin - 365 * _DAY, begin
        else:
            begin, end = max(begin, issuer.not_before), min(end, issuer.not_after)
        return CertificatePlan(
            issuer_id="",
            subject=subject,
            issuer=issuer.subject,
            serial=plan.serial or int.from_bytes(self.serial_bytes, "big") >> 1,
            not_before=begin,
            not_after=end,
            signature=Signature(),
            extensions=(
                Extension(oids.KEY_USAGE, True, der.named_bits(("digitalSignature",), oids.KEY_USAGES)),
                *((Extension(oids.EXTENDED_KEY_USAGE, False, purposes),) if plan.purposes else ()),
                Extension(oids.SUBJECT_KEY_IDENTIFIER, False, KeyIdentifier.SUBJECT),
                Extension(oids.AUTHORITY_KEY_IDENTIFIER, False, KeyIdentifier.ISSUER),
                *plan.extensions,
            ),
            spec="",
            edits=plan.edits,
        )


def key_bits(public_key: bytes) -> bytes:
    """Return the bits of a SubjectPublicKeyInfo's key: the input of key hashes (RFC 6960, section 4.1.1)."""
    _, bits = der.children(public_key)
    return der.contents(bits)[1:]
