"""Certificate requests in CRMF (RFC 4211) and PKCS#10, with the proof of possession of the key."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.asn1 import TLV

from pkigen.asn1 import der
from pkigen.asn1.names import decode as decode_name
from pkigen.enrolment.cmp.messages import Body, Failed, Failure, Message
from pkigen.enrolment.cmp.structures import CertId, CertReqMsg, CertRequest, SigningKeyProof
from pkigen.enrolment.decode import decode, decode_each, dotted, raw
from pkigen.environment.enrol import Requested, read_request
from pkigen.errors import InputError
from pkigen.keys.verify import Verdict, verdict_of
from pkigen.model import Name
from pkigen.x509 import Extensions
from pkigen.x509.algorithms import algorithm_identifier
from pkigen.x509.extensions import extensions

_PKCS10_ID = -1
_OLD_CERT_ID = "1.3.6.1.5.5.7.5.1.5"


@dataclass(frozen=True)
class CertificateRequest:
    """A request for a certificate.

    ``identifier`` is the certReqId of its response. ``proved`` means that the proof of possession was
    verified here; that of a PKCS#10 request is part of it. ``old_serial`` is the serial number in the
    control oldCertId.
    """

    identifier: int
    requested: Requested
    proved: bool
    old_serial: int | None = None


def read_certificate_request(message: Message) -> CertificateRequest:
    """Return the request in an ir, cr, kur or p10cr; Failed if the server cannot process it."""
    if message.kind == Body.P10CR:
        try:
            return CertificateRequest(_PKCS10_ID, read_request(message.content), proved=False)
        except InputError as error:
            raise Failed(Failure.BAD_DATA_FORMAT, str(error)) from error
    requests = decode_each(CertReqMsg, message.content)
    if len(requests) != 1:
        raise Failed(Failure.BAD_REQUEST, "send one certificate request in a message (RFC 9483, 4.1)")
    return _read_crmf(requests[0])


def _read_crmf(message: CertReqMsg) -> CertificateRequest:
    encoded = raw(message.request)
    request = decode(CertRequest, encoded)
    template = request.template
    if template.public_key is None:
        text = "the request has no public key; the server does not generate keys through CMP"
        raise Failed(Failure.BAD_CERT_TEMPLATE, text)
    public_key = der.sequence(
        raw(template.public_key.algorithm),
        der.bit_string(template.public_key.key.as_bytes(), template.public_key.key.padding_bits()),
    )
    _verify_possession(message, encoded, public_key)
    try:
        subject = name_in(template.subject)
        requested_extensions = (
            extensions(der.sequence(*map(raw, template.extensions))) if template.extensions else Extensions()
        )
    except (ValueError, IndexError) as error:
        raise Failed(Failure.BAD_CERT_TEMPLATE, f"the certificate template: {error}") from error
    requested = Requested(public_key, subject, requested_extensions)
    return CertificateRequest(request.identifier, requested, True, _old_serial(request))


def name_in(rdns: list[TLV] | None) -> Name:
    """Return the name in a field of a certificate template; ValueError if it is malformed."""
    return decode_name(der.sequence(*map(raw, rdns or ())))


def _verify_possession(message: CertReqMsg, request: bytes, public_key: bytes) -> None:
    proof = message.possession
    if proof is None or not isinstance(proof.value, SigningKeyProof):
        kind = "no proof" if proof is None else f"a proof by {proof.tag}"
        text = f"{kind} of possession; the server requires a signature with the key"
        raise Failed(Failure.BAD_POP, text)
    if proof.value.input is not None:
        raise Failed(Failure.BAD_POP, "the server does not support poposkInput; request a subject and a key")
    try:
        algorithm = algorithm_identifier(raw(proof.value.algorithm))
    except ValueError as error:
        raise Failed(Failure.BAD_ALG, f"the proof of possession: {error}") from error
    signature = proof.value.signature.as_bytes()
    if verdict_of(request, algorithm, signature, public_key) is not Verdict.GOOD:
        raise Failed(Failure.BAD_POP, "the proof of possession does not verify with the requested key")


def _old_serial(request: CertRequest) -> int | None:
    for control in request.controls or ():
        if len(control) == 2 and dotted(control[0]) == _OLD_CERT_ID:
            return decode(CertId, raw(control[1])).serial_number
    return None
