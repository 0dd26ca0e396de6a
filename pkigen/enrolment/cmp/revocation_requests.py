"""Revocation requests (rr; RFC 9810, 5.3.9 and 5.3.10)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.asn1 import TLV

from pkigen.asn1 import der, names
from pkigen.asn1.oids import CRL_REASON
from pkigen.enrolment.cmp.certificate_requests import name_in
from pkigen.enrolment.cmp.messages import Failed, Failure, Message, Status, status_info
from pkigen.enrolment.cmp.protection import Sender
from pkigen.enrolment.cmp.structures import RevocationDetails
from pkigen.enrolment.decode import Undecodable, decode_each, raw
from pkigen.environment.enrol import Enrolled, Enroller
from pkigen.model import REASON_CODES
from pkigen.x509 import Certificate
from pkigen.x509.extensions import extensions

_DIRECTORY_NAME = 0xA4


@dataclass(frozen=True)
class Revocation:
    """Revokes certificates of one template."""

    enroller: Enroller
    template: str
    issuer: str

    def respond(self, message: Message, sender: Sender, failed: Failed | None = None) -> bytes:
        """Revoke a certificate, and return RevRepContent; ``failed`` rejects the request."""
        requests = decode_each(RevocationDetails, message.content)
        if len(requests) != 1:
            raise Failed(Failure.BAD_REQUEST, "request the revocation of one certificate in a message")
        try:
            if failed is not None:
                raise failed
            enrolled = self._target(requests[0], sender)
            self.enroller.revoke(enrolled, _reason(requests[0].entry_extensions))
        except Failed as error:
            status = status_info(Status.REJECTION, error.text, error.failure)
            return der.sequence(der.sequence(status))
        issuer = der.tlv(_DIRECTORY_NAME, Certificate(enrolled.certificate).issuer_der)
        revoked = der.sequence(issuer, der.integer(enrolled.serial))
        return der.sequence(
            der.sequence(status_info(Status.ACCEPTED)), der.explicit(0, der.sequence(revoked))
        )

    def _target(self, request: RevocationDetails, sender: Sender) -> Enrolled:
        """Return the certificate to revoke; Failed if there is none, or if the sender must not revoke it."""
        serial = request.template.serial_number
        if serial is None or request.template.issuer is None:
            raise Failed(Failure.ADD_INFO_NOT_AVAILABLE, "name the issuer and the serial number")
        try:
            issuer = names.normalized(name_in(request.template.issuer))
        except (ValueError, IndexError) as error:
            raise Undecodable(f"the issuer: {error}") from error
        enrolled = self.enroller.find(issuer=self.issuer, serial=serial)
        if enrolled is None or Certificate(enrolled.certificate).normalized_issuer != issuer:
            raise Failed(Failure.BAD_CERT_ID, "no device requested a certificate with this serial number")
        is_own = sender.certificate is not None and sender.certificate.der == enrolled.certificate
        if not is_own and (sender.mac is None or enrolled.template != self.template):
            text = "sign the message with the certificate to revoke, or protect it with the template's secret"
            raise Failed(Failure.NOT_AUTHORIZED, text)
        if self.enroller.revocation(enrolled) is not None:
            raise Failed(Failure.CERT_REVOKED, "the certificate is revoked")
        return enrolled


def _reason(entry_extensions: list[TLV] | None) -> str:
    """Return the reason in the CRL entry extensions of a request."""
    if not entry_extensions:
        return "unspecified"
    extension = extensions(der.sequence(*map(raw, entry_extensions))).raw(CRL_REASON)
    if extension is None:
        return "unspecified"
    number = int.from_bytes(der.contents(extension.value)[:2], "big")
    for name, code in REASON_CODES.items():
        if code == number and name != "removeFromCRL":
            return name
    raise Failed(Failure.INCORRECT_DATA, f"the server does not revoke for the reason {number}")
