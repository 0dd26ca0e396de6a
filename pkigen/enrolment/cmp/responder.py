"""Answers CMP messages (RFC 9810, RFC 9483) for one template: bytes in, bytes out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pkigen.asn1 import der, names
from pkigen.enrolment.cmp import faulty_responses, messages, revocation_requests, support
from pkigen.enrolment.cmp.certificate_requests import CertificateRequest, read_certificate_request
from pkigen.enrolment.cmp.confirmation import check_confirmation
from pkigen.enrolment.cmp.messages import Body, Failed, Failure, Message, Status
from pkigen.enrolment.cmp.protection import Header, Protector, Sender, authenticate
from pkigen.enrolment.cmp.structures import PollRequest
from pkigen.enrolment.cmp.transaction import Transaction
from pkigen.enrolment.decode import Undecodable, decode_each, raw
from pkigen.enrolment.faults import RequestFaults, requested_names
from pkigen.enrolment.rate_limits import ClientLimits
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


@dataclass
class _Call:
    """A message, its authenticated sender, and the faults for it, which depend on the names in it."""

    message: Message
    faults: RequestFaults
    sender: Sender = field(default_factory=lambda: Sender(""))

    def find_faults(self, request: CertificateRequest | None = None) -> None:
        """Select the faults for the kind of message and the requested names; apply those that refuse it."""
        requested = () if request is None else requested_names(request.requested)
        self.faults = self.faults.of(messages.title(self.message.kind), requested)
        faulty_responses.fail(self.faults)


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
        self._limits = ClientLimits()
        self._transactions = Transactions[Transaction]()
        self._protector = Protector(self._settings, enroller, self._issuer)

    def respond(self, data: bytes, faults: RequestFaults | None = None) -> bytes:
        """Return the response to a message, empty if a fault ignores it.

        Undecodable if the data is not a CMP message.
        """
        message = messages.read_message(data)
        call = _Call(message, (faults or RequestFaults.none()).of(messages.title(message.kind)))
        answer: _Answer | None
        try:
            messages.check_header(message)
            call.sender = self._authenticated(call)
            answer = self._answer(call)
        except Failed as error:
            answer = _Answer(Body.ERROR, messages.error_content(error))
        except (Undecodable, Malformed) as error:
            failed = Failed(Failure.BAD_DATA_FORMAT, str(error))
            answer = _Answer(Body.ERROR, messages.error_content(failed))
        if answer is None:
            return b""
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
        header = faulty_responses.header(call.faults, header)
        body = der.explicit(answer.kind, answer.content)
        return faulty_responses.protected(call.faults, self._protector.message(header, body, call.sender.mac))

    def _authenticated(self, call: _Call) -> Sender:
        """Return the sender of a message; Failed if it is not authentic, RateLimited if that recurs."""
        self._limits.check_failures(call.faults.scope)
        try:
            return authenticate(call.message, self._settings, self._enroller)
        except Failed:
            self._limits.count_failure(call.faults.scope)
            raise

    def _answer(self, call: _Call) -> _Answer | None:
        message = call.message
        if message.kind in _RESPONSES:
            return self._begin(call)
        if message.kind == Body.CERTCONF:
            return self._confirm(call)
        if message.kind == Body.POLLREQ:
            return self._poll(call)
        call.find_faults()
        if message.kind == Body.RR:
            template, issuer = self._template.name, self._issuer
            revocation = revocation_requests.Revocation(self._enroller, template, issuer)
            failed = faulty_responses.rejection(call.faults)
            return _Answer(Body.RP, revocation.respond(message, call.sender, failed))
        if message.kind == Body.GENM:
            return _Answer(Body.GENP, support.respond(message, self._template, self._enroller))
        raise Failed(Failure.BAD_REQUEST, f"the server does not process the body [{message.kind}]")

    def _begin(self, call: _Call) -> _Answer:
        message, sender = call.message, call.sender
        try:
            request = read_certificate_request(message)
            call.find_faults(request)
            if (failed := faulty_responses.rejection(call.faults)) is not None:
                return self._rejection(message.kind, request.identifier, failed)
            renewal_of = self._renewed(message, sender, request)
        except Failed as error:
            if error.failure not in (Failure.BAD_POP, Failure.BAD_CERT_TEMPLATE, Failure.BAD_CERT_ID):
                raise
            return self._rejection(message.kind, -1 if message.kind == Body.P10CR else 0, error)
        implicit = message.general_info(messages.IMPLICIT_CONFIRM)
        transaction = Transaction(message.kind, sender.name, request, implicit, renewal_of)
        if not self._transactions.add(message.transaction_id, transaction):
            raise Failed(Failure.TRANSACTION_ID_IN_USE, "the transactionID is that of another transaction")
        return self._issue(call, transaction)

    def _renewed(self, message: Message, sender: Sender, request: CertificateRequest) -> str:
        """Return the name of the certificate to renew; "" for a new one."""
        if message.kind != Body.KUR:
            return ""
        current, serial = sender.enrolled, request.old_serial
        if sender.mac is not None and serial is not None:
            current = self._enroller.find(issuer=self._issuer, serial=serial, or_successor=True)
        if current is None:
            text = "sign the message with the certificate to update, which the environment must have issued"
            raise Failed(Failure.NOT_AUTHORIZED, text)
        if sender.certificate is not None and serial not in (None, sender.certificate.serial):
            raise Failed(Failure.BAD_CERT_ID, "oldCertId is not the certificate that signs the message")
        subject, requested = Certificate(current.certificate).subject, request.requested.subject
        if names.normalized(subject) != names.normalized(requested):
            text = f"the subject must be that of the certificate to update, '{names.text(subject)}'"
            raise Failed(Failure.BAD_CERT_TEMPLATE, text)
        return current.name if current.template == self._template.name else ""

    def _issue(self, call: _Call, transaction: Transaction) -> _Answer:
        """Issue the certificate of a transaction, or let the client wait for a build."""
        request = transaction.request
        kind = _RESPONSES[Body(transaction.kind)]
        if (seconds := faulty_responses.poll_seconds(call.faults)) is not None:
            return _wait(call, transaction, seconds, "the certificate is not ready")
        self._limits.count_request(call.faults.scope)
        try:
            enrolled = self._enroller.issue(
                self._template,
                request.requested,
                protocol=_PROTOCOL,
                requester=transaction.requester,
                faults=call.faults.of_certificate(),
                renewal_of=transaction.renewal_of,
                proved=request.proved,
                list_now=False,
            )
        except Busy:
            return _wait(call, transaction, _POLL_SECONDS, "the certificate is issued after a build")
        except (Rejected, InputError) as error:
            self._transactions.take(call.message.transaction_id)
            failure = _FAILURES[error.cause] if isinstance(error, Rejected) else Failure.BAD_REQUEST
            return self._rejection(transaction.kind, request.identifier, Failed(failure, str(error)))
        transaction.enrolled = enrolled
        if transaction.implicit_confirm:
            self._transactions.take(call.message.transaction_id)
        status = faulty_responses.status(call.faults, _granted(request, enrolled))
        response = messages.certificate_response(request.identifier, status, enrolled.certificate)
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

    def _open(self, call: _Call) -> Transaction:
        message = call.message
        transaction = self._transactions.get(message.transaction_id)
        if transaction is None or transaction.requester != call.sender.name:
            minutes = int(LIFE_SECONDS // 60)
            text = f"no transaction of this client is open; transactions end after {minutes} minutes"
            raise Failed(Failure.BAD_REQUEST, text)
        if message.header.recipient_nonce != transaction.nonce:
            raise Failed(Failure.BAD_RECIPIENT_NONCE, "recipNonce is not the nonce of the last response")
        call.find_faults(transaction.request)
        return transaction

    def _confirm(self, call: _Call) -> _Answer | None:
        transaction, message = self._open(call), call.message
        if call.faults.applied("cmp-confirmation-ignored") is not None:
            return None
        if transaction.enrolled is None:
            raise Failed(Failure.BAD_REQUEST, "the certificate is not issued yet")
        if not check_confirmation(message.content, transaction.request.identifier, transaction.enrolled):
            self._enroller.revoke(transaction.enrolled, "cessationOfOperation")
        self._transactions.take(message.transaction_id)
        return _Answer(Body.PKICONF, _NULL)

    def _poll(self, call: _Call) -> _Answer:
        transaction, message = self._open(call), call.message
        identifiers = [one.request_id for one in decode_each(PollRequest, message.content)]
        if identifiers != [transaction.request.identifier]:
            raise Failed(Failure.BAD_REQUEST, "the request to poll is not that of the transaction")
        if transaction.enrolled is not None:
            raise Failed(Failure.BAD_REQUEST, "the certificate has been sent")
        return self._issue(call, transaction)


def _wait(call: _Call, transaction: Transaction, seconds: int, reason: str) -> _Answer:
    """Return the answer that lets a client poll after some seconds."""
    identifier = transaction.request.identifier
    if call.message.kind == Body.POLLREQ:
        return _Answer(Body.POLLREP, messages.poll_response(identifier, seconds), (), transaction)
    waiting = messages.certificate_response(identifier, messages.status_info(Status.WAITING, reason))
    kind = _RESPONSES[Body(transaction.kind)]
    return _Answer(kind, messages.certificate_responses([waiting]), (), transaction)


def _granted(request: CertificateRequest, enrolled: Enrolled) -> bytes:
    """Return the status of an issued certificate, whose subject can differ from the requested one."""
    subject, requested = Certificate(enrolled.certificate).subject, request.requested.subject
    is_equal = names.normalized(subject) == names.normalized(requested)
    return messages.status_info(Status.ACCEPTED if is_equal else Status.GRANTED_WITH_MODS)
