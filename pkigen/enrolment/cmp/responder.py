"""Answers CMP messages (RFC 9810, RFC 9483) for one template: bytes in, bytes out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pkigen.asn1 import der, names
from pkigen.enrolment.cmp import messages, revocation_requests, support
from pkigen.enrolment.cmp.certificate_requests import CertificateRequest, read_certificate_request
from pkigen.enrolment.cmp.confirmation import check_confirmation
from pkigen.enrolment.cmp.messages import Body, Failed, Failure, Message, Status
from pkigen.enrolment.cmp.protection import Header, Protector, Sender, authenticate
from pkigen.enrolment.cmp.structures import PollRequest
from pkigen.enrolment.cmp.transaction import Transaction
from pkigen.enrolment.decode import Undecodable, decode_each, raw
from pkigen.enrolment.transactions import LIFE_SECONDS, Transactions
from pkigen.environment.enrol import Busy, Cause, Enrolled, Enroller, Rejected
from pkigen.errors import InputError
from pkigen.profile.enrolment import CmpSettings, Template
from pkigen.x509 import Certificate, Malformed

_PROTOCOL = "cmp"
_POLL_SECONDS = 5
_NONCE = 16
_RESPONSES = {Body.IR: Body.IP, Body.CR: Body.CP, Body.P10CR: Body.CP, Body.KUR: Body.KUP}
_FAILURES = {
    Cause.MALFORMED: Failure.BAD_DATA_FORMAT,
    Cause.POSSESSION: Failure.BAD_POP,
    Cause.KEY: Failure.BAD_CERT_TEMPLATE,
    Cause.NAME: Failure.BAD_CERT_TEMPLATE,
    Cause.REQUIREMENT: Failure.BAD_CERT_TEMPLATE,
}
_NULL = der.null()


@dataclass(frozen=True)
class _Answer:
    """The body of a response: its kind, its content, and what the header says in addition."""

    kind: Body
    content: bytes
    general_info: tuple[bytes, ...] = ()
    transaction: Transaction | None = None


class Responder:
    """The CMP server of a template. Thread-safe."""

    def __init__(self, template: Template, enroller: Enroller) -> None:
        self._template = template
        self._enroller = enroller
        self._issuer = str(template.sample()[1].issuer)
        self._settings = template.settings.cmp or CmpSettings()
        self._transactions = Transactions[Transaction]()
        self._protector = Protector(self._settings, enroller, self._issuer)

    def respond(self, data: bytes) -> bytes:
        """Return the response to a message; Undecodable if the data is not a CMP message."""
        message = messages.read_message(data)
        sender = Sender("")
        try:
            messages.check_header(message)
            sender = authenticate(message, self._settings, self._enroller)
            answer = self._answer(message, sender)
        except Failed as error:
            answer = _Answer(Body.ERROR, messages.error_content(error))
        except (Undecodable, Malformed) as error:
            failed = Failed(Failure.BAD_DATA_FORMAT, str(error))
            answer = _Answer(Body.ERROR, messages.error_content(failed))
        header = Header(
            3 if message.header.version == 3 else 2,
            raw(message.header.sender),
            message.transaction_id,
            secrets.token_bytes(_NONCE),
            message.header.sender_nonce or b"",
            self._enroller.clock(),
            answer.general_info,
        )
        if answer.transaction is not None:
            answer.transaction.nonce = header.sender_nonce
        return self._protector.message(header, der.explicit(answer.kind, answer.content), sender.mac)

    def _answer(self, message: Message, sender: Sender) -> _Answer:
        if message.kind in _RESPONSES:
            return self._begin(message, sender)
        if message.kind == Body.CERTCONF:
            return self._confirm(message, sender)
        if message.kind == Body.POLLREQ:
            return self._poll(message, sender)
        if message.kind == Body.RR:
            template, issuer = self._template.name, self._issuer
            revocation = revocation_requests.Revocation(self._enroller, template, issuer)
            return _Answer(Body.RP, revocation.respond(message, sender))
        if message.kind == Body.GENM:
            return _Answer(Body.GENP, support.respond(message, self._template, self._enroller))
        raise Failed(Failure.BAD_REQUEST, f"the server does not process the body [{message.kind}]")

    def _begin(self, message: Message, sender: Sender) -> _Answer:
        try:
            request = read_certificate_request(message)
            renewal_of = self._renewed(message, sender, request)
        except Failed as error:
            if error.failure not in (Failure.BAD_POP, Failure.BAD_CERT_TEMPLATE, Failure.BAD_CERT_ID):
                raise
            return self._rejection(message.kind, -1 if message.kind == Body.P10CR else 0, error)
        implicit = message.general_info(messages.IMPLICIT_CONFIRM)
        transaction = Transaction(message.kind, sender.name, request, implicit, renewal_of)
        if not self._transactions.add(message.transaction_id, transaction):
            raise Failed(Failure.TRANSACTION_ID_IN_USE, "the transactionID is that of another transaction")
        return self._issue(message, transaction)

    def _renewed(self, message: Message, sender: Sender, request: CertificateRequest) -> str:
        """Return the name of the certificate to renew; "" for a new one."""
        if message.kind != Body.KUR:
            return ""
        current = sender.enrolled
        if sender.mac is not None and request.old_serial is not None:
            current = self._enroller.find(issuer=self._issuer, serial=request.old_serial)
        if current is None:
            text = "sign the message with the certificate to update, which the environment must have issued"
            raise Failed(Failure.NOT_AUTHORIZED, text)
        if request.old_serial not in (None, current.serial):
            raise Failed(Failure.BAD_CERT_ID, "oldCertId is not the certificate that signs the message")
        subject, requested = Certificate(current.certificate).subject, request.requested.subject
        if names.normalized(subject) != names.normalized(requested):
            text = f"the subject must be that of the certificate to update, '{names.text(subject)}'"
            raise Failed(Failure.BAD_CERT_TEMPLATE, text)
        return current.name if current.template == self._template.name else ""

    def _issue(self, message: Message, transaction: Transaction) -> _Answer:
        """Issue the certificate of a transaction, or let the client wait for a build."""
        request = transaction.request
        kind = _RESPONSES[Body(transaction.kind)]
        try:
            enrolled = self._enroller.issue(
                self._template,
                request.requested,
                protocol=_PROTOCOL,
                requester=transaction.requester,
                renewal_of=transaction.renewal_of,
                proved=request.proved,
                list_now=False,
            )
        except Busy:
            if message.kind == Body.POLLREQ:
                wait = messages.poll_response(request.identifier, _POLL_SECONDS)
                return _Answer(Body.POLLREP, wait, (), transaction)
            status = messages.status_info(Status.WAITING, "the certificate is issued after a build")
            waiting = messages.certificate_response(request.identifier, status)
            return _Answer(kind, messages.certificate_responses([waiting]), (), transaction)
        except (Rejected, InputError) as error:
            self._transactions.take(message.transaction_id)
            failure = _FAILURES[error.cause] if isinstance(error, Rejected) else Failure.BAD_REQUEST
            return self._rejection(transaction.kind, request.identifier, Failed(failure, str(error)))
        transaction.enrolled = enrolled
        if transaction.implicit_confirm:
            self._transactions.take(message.transaction_id)
        response = messages.certificate_response(
            request.identifier, _granted(request, enrolled), enrolled.certificate
        )
        # The trust anchors, as far as the client has none (RFC 9483, 4.1.1).
        published = enrolled.chain[-1:] if transaction.kind == Body.IR else ()
        content = messages.certificate_responses([response], published)
        return _Answer(kind, content, self._header_info(transaction), transaction)

    def _header_info(self, transaction: Transaction) -> tuple[bytes, ...]:
        if transaction.implicit_confirm:
            return (messages.info(messages.IMPLICIT_CONFIRM, _NULL),)
        return ()

    def _rejection(self, kind: int, identifier: int, error: Failed) -> _Answer:
        status = messages.status_info(Status.REJECTION, error.text, error.failure)
        response = messages.certificate_response(identifier, status)
        return _Answer(_RESPONSES[Body(kind)], messages.certificate_responses([response]))

    def _open(self, message: Message, sender: Sender) -> Transaction:
        transaction = self._transactions.get(message.transaction_id)
        if transaction is None or transaction.requester != sender.name:
            minutes = int(LIFE_SECONDS // 60)
            text = f"no transaction of this client is open; transactions end after {minutes} minutes"
            raise Failed(Failure.BAD_REQUEST, text)
        if message.header.recipient_nonce != transaction.nonce:
            raise Failed(Failure.BAD_RECIPIENT_NONCE, "recipNonce is not the nonce of the last response")
        return transaction

    def _confirm(self, message: Message, sender: Sender) -> _Answer:
        transaction = self._open(message, sender)
        if transaction.enrolled is None:
            raise Failed(Failure.BAD_REQUEST, "the certificate is not issued yet")
        if not check_confirmation(message.content, transaction.request.identifier, transaction.enrolled):
            self._enroller.revoke(transaction.enrolled, "cessationOfOperation")
        self._transactions.take(message.transaction_id)
        return _Answer(Body.PKICONF, _NULL)

    def _poll(self, message: Message, sender: Sender) -> _Answer:
        transaction = self._open(message, sender)
        identifiers = [one.request_id for one in decode_each(PollRequest, message.content)]
        if identifiers != [transaction.request.identifier]:
            raise Failed(Failure.BAD_REQUEST, "the request to poll is not that of the transaction")
        if transaction.enrolled is not None:
            raise Failed(Failure.BAD_REQUEST, "the certificate has been sent")
        return self._issue(message, transaction)


def _granted(request: CertificateRequest, enrolled: Enrolled) -> bytes:
    """Return the status of an issued certificate, whose subject can differ from the requested one."""
    subject, requested = Certificate(enrolled.certificate).subject, request.requested.subject
    is_equal = names.normalized(subject) == names.normalized(requested)
    return messages.status_info(Status.ACCEPTED if is_equal else Status.GRANTED_WITH_MODS)
