"""Answers SCEP messages (RFC 8894) for one template: bytes in, bytes out."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV
from cryptography.hazmat.primitives.asymmetric import rsa

from pkigen.asn1 import names
from pkigen.enrolment.decode import Undecodable, decode, raw
from pkigen.enrolment.faults import RequestFaults, requested_names
from pkigen.enrolment.own_certificate import OwnCertificate, registration_authority
from pkigen.enrolment.rate_limits import ClientLimits
from pkigen.enrolment.scep import cms, faulty_responses
from pkigen.enrolment.scep.faulty_responses import SeparateAuthorities
from pkigen.enrolment.scep.messages import (
    Failed,
    FailInfo,
    MessageType,
    PkiStatus,
    RequestAttributes,
    request_attributes,
    response_attributes,
)
from pkigen.enrolment.transactions import Transactions
from pkigen.enrolment.trusted_signer import UntrustedSigner, trusted_signer
from pkigen.environment.enrol import Busy, Cause, Enrolled, Enroller, Rejected, Requested, read_request
from pkigen.errors import InputError
from pkigen.formats.pkcs7 import pkcs7_file
from pkigen.profile.enrolment import ScepSettings, Template
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.decode import normalized_name
from pkigen.x509.public_key import same_key

_PROTOCOL = "scep"
_CA_USAGES = {"digitalSignature", "keyEncipherment"}


@asn1.sequence
class _IssuerAndSerial:
    issuer: TLV
    serial: int


@asn1.sequence
class _IssuerAndSubject:
    issuer: TLV
    subject: TLV


@dataclass
class _Call:
    """A verified request, and the faults for it, which depend on the names in it."""

    attributes: RequestAttributes
    signer: Certificate
    faults: RequestFaults
    content: bytes = b""

    def find_faults(self, requested: Requested | None = None) -> None:
        """Select the faults for the operation and the requested names."""
        kind = self.attributes.kind
        endpoint = "" if kind is None else kind.title
        self.faults = self.faults.of(endpoint, () if requested is None else requested_names(requested))


@dataclass
class _Transaction:
    """A request that waits; ``renewal_of`` is the name of the certificate that it renews."""

    requested: Requested
    requester: str
    renewal_of: str
    enrolled: Enrolled | None = None


class Responder:
    """The SCEP server of a template. Thread-safe."""

    def __init__(self, template: Template, enroller: Enroller) -> None:
        self._template = template
        self._enroller = enroller
        self._issuer = str(template.sample()[1].issuer)
        self._settings = template.settings.scep or ScepSettings()
        self._limits = ClientLimits()
        self._transactions = Transactions[_Transaction]()
        self._authority = registration_authority(enroller, self._issuer)
        self._separate = SeparateAuthorities(enroller, self._issuer)

    def ca_certificates(self, faults: RequestFaults | None = None) -> tuple[bytes, ...]:
        """Return the RA's certificate, unless the CA signs itself, and the CAs up to the root (4.2.1)."""
        own = self._own()
        if faults is not None and faults.applied("scep-ra-wrong-usage") is not None:
            encryption, signing = self._separate.encryption, self._separate.signing
            return tuple(dict.fromkeys((encryption.certificate, signing.certificate, *signing.chain)))
        return tuple(dict.fromkeys((own.certificate, *own.chain)))

    def _own(self) -> OwnCertificate:
        """Return the CA's certificate and key, if SCEP can use them; otherwise those of the RA.

        SCEP needs an RSA key that signs and decrypts.
        """
        authority = self._enroller.authority(self._issuer)
        if isinstance(authority.signer.key, rsa.RSAPrivateKey):
            usages = Certificate(authority.certificate).extensions.key_usage
            if usages is None or set(usages) >= _CA_USAGES:
                chain = self._enroller.chain(self._issuer)
                return OwnCertificate(authority.certificate, chain, authority.signer.key)
        return self._authority.current()

    def respond(self, data: bytes, faults: RequestFaults | None = None) -> bytes:
        """Return the CertRep for a pkiMessage.

        Undecodable if the data is not a pkiMessage, BadSignature if its signature does not verify: there is
        no transaction to which a response could belong.
        """
        signed = cms.read_signed(data)
        call = _Call(request_attributes(signed), signed.signer, faults or RequestFaults.none())
        call.find_faults()
        own = self._own()
        content = b""
        failed = None
        status = PkiStatus.SUCCESS
        try:
            call.content, cipher, own = self._decrypt(signed.content, own)
            answer = self._answer(call)
            if answer is None:
                status = PkiStatus.PENDING
            else:
                content = cms.encrypt(answer, signed.signer, faulty_responses.cipher(call.faults, cipher))
        except Failed as error:
            failed = error
        except cms.BadEncryption as error:
            failed = Failed(FailInfo.BAD_MESSAGE_CHECK, str(error))
        except (Undecodable, Malformed) as error:
            failed = Failed(FailInfo.BAD_REQUEST, str(error))
        if failed is not None:
            status = PkiStatus.FAILURE
        described = response_attributes(faulty_responses.echoed(call.faults, call.attributes), status, failed)
        assert isinstance(own.key, rsa.RSAPrivateKey)
        return cms.signed_message(content, own.certificate, own.key, described, signed.digest)

    def _decrypt(
        self, enveloped: bytes, own: OwnCertificate
    ) -> tuple[bytes, cms.ContentCipher, OwnCertificate]:
        """Return the content of a message, its cipher, and the certificate that signs the response."""
        signing = own
        if self._separate.is_in_use:
            pair = self._separate.encryption, self._separate.signing
            named = [one for one in pair if cms.is_recipient(enveloped, one.certificate)]
            own, signing = (named[0], pair[1]) if named else (own, own)
        assert isinstance(own.key, rsa.RSAPrivateKey)
        content, cipher = cms.decrypt(enveloped, own.certificate, own.key)
        return content, cipher, signing

    def _answer(self, call: _Call) -> bytes | None:
        """Return the certificates or the CRL of a response (PKCS#7); None if the client must wait."""
        kind = call.attributes.kind
        if kind in (MessageType.PKCS_REQ, MessageType.RENEWAL_REQ):
            return self._begin(call)
        if kind is MessageType.CERT_POLL:
            return self._poll(call)
        faulty_responses.fail(call.faults)
        if kind is MessageType.GET_CERT:
            return self._certificate(call.content)
        if kind is MessageType.GET_CRL:
            return self._crl(call.content)
        raise Failed(FailInfo.BAD_REQUEST, "the messageType is unknown")

    def _begin(self, call: _Call) -> bytes | None:
        attributes, signer = call.attributes, call.signer
        try:
            requested = read_request(call.content)
        except InputError as error:
            raise Failed(FailInfo.BAD_REQUEST, str(error)) from error
        call.find_faults(requested)
        faulty_responses.fail(call.faults)
        is_self_signed = same_key(signer.subject_public_key_info, requested.public_key)
        current = None
        if not is_self_signed or attributes.kind is MessageType.RENEWAL_REQ:
            current = self._current(signer)
        if current is None:
            self._check_challenge(requested, call.faults)
        is_own = current is not None and current.template == self._template.name
        renewal_of = current.name if current is not None and is_own else ""
        requester = names.text(signer.subject) if current else names.text(requested.subject)
        transaction = _Transaction(requested, requester, renewal_of)
        # A device that repeats a request begins again: the identifier is often a hash of its key.
        self._transactions.take(attributes.transaction_id)
        self._transactions.add(attributes.transaction_id, transaction)
        return self._issue(transaction, call.faults)

    def _current(self, signer: Certificate) -> Enrolled:
        """Return the certificate that a renewal replaces."""
        try:
            current = trusted_signer(signer, self._enroller)
        except UntrustedSigner as error:
            raise Failed(FailInfo.BAD_MESSAGE_CHECK, str(error)) from error
        if current is None:
            raise Failed(FailInfo.BAD_CERT_ID, "no device requested the certificate of the signer")
        return current

    def _check_challenge(self, requested: Requested, faults: RequestFaults) -> None:
        expected = self._settings.challenge
        self._limits.check_failures(faults.scope)
        given = (requested.challenge_password or "").encode()
        if expected is not None and not hmac.compare_digest(given, expected):
            self._limits.count_failure(faults.scope)
            problem = "wrong" if requested.challenge_password else "missing"
            raise Failed(FailInfo.BAD_REQUEST, f"the challenge password is {problem}")

    def _poll(self, call: _Call) -> bytes | None:
        decode(_IssuerAndSubject, call.content)
        transaction = self._transactions.get(call.attributes.transaction_id)
        if transaction is None or not same_key(
            call.signer.subject_public_key_info, transaction.requested.public_key
        ):
            raise Failed(FailInfo.BAD_CERT_ID, "no request of this client waits in the transaction")
        call.find_faults(transaction.requested)
        faulty_responses.fail(call.faults)
        return self._issue(transaction, call.faults)

    def _issue(self, transaction: _Transaction, faults: RequestFaults) -> bytes | None:
        """Issue the certificate of a transaction; None if a build holds the environment's lock."""
        if faults.applied("scep-pending") is not None:
            return None
        if transaction.enrolled is None:
            self._limits.count_request(faults.scope)
            try:
                transaction.enrolled = self._enroller.issue(
                    self._template,
                    transaction.requested,
                    protocol=_PROTOCOL,
                    requester=transaction.requester,
                    faults=faults.of_certificate(),
                    renewal_of=transaction.renewal_of,
                    list_now=False,
                )
            except Busy:
                return None
            except Rejected as error:
                is_proof = error.cause is Cause.POSSESSION
                failure = FailInfo.BAD_MESSAGE_CHECK if is_proof else FailInfo.BAD_REQUEST
                raise Failed(failure, str(error)) from error
            except InputError as error:
                raise Failed(FailInfo.BAD_REQUEST, str(error)) from error
        enrolled = transaction.enrolled
        return pkcs7_file([enrolled.certificate, *enrolled.chain[:-1]])

    def _certificate(self, content: bytes) -> bytes:
        """Return the certificate that GetCert names (3.3.4)."""
        named = self._named(content)
        enrolled = self._enroller.find(issuer=self._issuer, serial=named.serial)
        if enrolled is None:
            raise Failed(FailInfo.BAD_CERT_ID, "no device requested a certificate with this serial number")
        return pkcs7_file([enrolled.certificate])

    def _crl(self, content: bytes) -> bytes:
        """Return the CRL for the certificate that GetCRL names (3.3.5)."""
        self._named(content)
        try:
            return pkcs7_file([], [self._enroller.crl(self._issuer)])
        except InputError as error:
            raise Failed(FailInfo.BAD_CERT_ID, str(error)) from error

    def _named(self, content: bytes) -> _IssuerAndSerial:
        named = decode(_IssuerAndSerial, content)
        issuer = Certificate(self._enroller.chain(self._issuer)[0]).normalized_subject
        if normalized_name(raw(named.issuer)) != issuer:
            raise Failed(FailInfo.BAD_CERT_ID, "the issuer is not the CA of the template")
        return named
