"""Protection of messages: by a MAC with the template's secret, or by a signature (RFC 9810, 5.1.3)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from pkigen.asn1 import der, names
from pkigen.enrolment.cmp.mac import PBM, PBMAC1, Mac, UnsupportedMac, read_mac
from pkigen.enrolment.cmp.messages import Failed, Failure, Message
from pkigen.enrolment.decode import dotted, raw
from pkigen.enrolment.own_certificate import registration_authority
from pkigen.enrolment.trusted_signer import RevokedSigner, UntrustedSigner, trusted_signer
from pkigen.environment.enrol import Enrolled, Enroller
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.keys.verify import Verdict, verdict_of
from pkigen.model import Signature
from pkigen.profile.enrolment import CmpSettings
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.algorithms import algorithm_identifier

_DIRECTORY_NAME = 0xA4


@dataclass(frozen=True)
class Sender:
    """The authenticated sender of a message: ``name`` for the record, and its MAC or its certificate.

    Neither is present if the message is not protected. ``enrolled`` is the certificate or its
    successor, if a device requested it from this environment.
    """

    name: str
    mac: Mac | None = None
    certificate: Certificate | None = None
    enrolled: Enrolled | None = None


def authenticate(message: Message, settings: CmpSettings, enroller: Enroller) -> Sender:
    """Verify the protection of a message, and return the sender; Failed if the template does not accept it.

    A template without a secret accepts messages without protection.
    """
    algorithm = message.header.protection_algorithm
    if message.protection is None or algorithm is None:
        if message.protection is not None or algorithm is not None:
            text = "the message has either a protection or its algorithm; it needs both"
            raise Failed(Failure.BAD_MESSAGE_CHECK, text)
        if settings.secret is not None:
            raise Failed(Failure.BAD_MESSAGE_CHECK, "the message is not protected")
        return Sender("")
    if algorithm and dotted(algorithm[0]) in (PBM, PBMAC1):
        return _by_mac(message, settings)
    return _by_signature(message, enroller)


def _by_mac(message: Message, settings: CmpSettings) -> Sender:
    assert message.protection is not None
    if settings.secret is None:
        raise Failed(Failure.WRONG_INTEGRITY, "the template has no secret; sign the message")
    try:
        mac = read_mac(message.header.protection_algorithm or [])
    except UnsupportedMac as error:
        raise Failed(Failure.BAD_ALG, str(error)) from error
    reference = message.header.sender_key_identifier or b""
    if settings.reference is not None and reference != settings.reference.encode():
        raise Failed(Failure.BAD_MESSAGE_CHECK, "the reference value (senderKID) is unknown")
    if not hmac.compare_digest(mac.value(settings.secret, message.protected_part), message.protection):
        raise Failed(Failure.BAD_MESSAGE_CHECK, "the MAC is wrong: the secret of the client differs")
    return Sender(reference.decode("utf-8", "replace"), mac)


def _by_signature(message: Message, enroller: Enroller) -> Sender:
    assert message.protection is not None
    if not message.certificates:
        raise Failed(Failure.ADD_INFO_NOT_AVAILABLE, "extraCerts must begin with the signer's certificate")
    certificate = Certificate(message.certificates[0])
    try:
        algorithm = algorithm_identifier(der.sequence(*map(raw, message.header.protection_algorithm or ())))
        public_key = certificate.subject_public_key_info
        verdict = verdict_of(message.protected_part, algorithm, message.protection, public_key)
        if verdict is not Verdict.GOOD:
            text = "the signature does not verify with the signer's certificate"
            raise Failed(Failure.BAD_MESSAGE_CHECK, text)
        enrolled = trusted_signer(certificate, enroller)
        return Sender(names.text(certificate.subject), None, certificate, enrolled)
    except RevokedSigner as error:
        raise Failed(Failure.CERT_REVOKED, str(error)) from error
    except UntrustedSigner as error:
        raise Failed(Failure.SIGNER_NOT_TRUSTED, str(error)) from error
    except Malformed as error:
        raise Failed(Failure.BAD_DATA_FORMAT, f"the signer's certificate: {error}") from error


@dataclass(frozen=True)
class Header:
    """The fields of a response's header: transaction, nonces, additional information."""

    version: int
    recipient: bytes
    transaction_id: bytes
    sender_nonce: bytes
    recipient_nonce: bytes
    time: datetime
    general_info: tuple[bytes, ...] = ()


class Protector:
    """Encodes responses: with a MAC for clients that use one, with the server's signature for others."""

    def __init__(self, settings: CmpSettings, enroller: Enroller, issuer: str) -> None:
        self._settings = settings
        self._enroller = enroller
        self._issuer = issuer
        self._authority = registration_authority(enroller, issuer)

    def message(self, header: Header, body: bytes, mac: Mac | None) -> bytes:
        """Return a PKIMessage with a body (with its tag)."""
        if mac is not None and self._settings.secret is not None:
            fresh = mac.fresh()
            reference = (self._settings.reference or "").encode()
            ca = Certificate(self._enroller.chain(self._issuer)[0]).subject_der
            part = der.sequence(_header(header, ca, fresh.encode(), reference), body)
            return _message(part, fresh.value(self._settings.secret, part), ())
        own = self._authority.current()
        certificate = Certificate(own.certificate)
        algorithm = signature_algorithm(own.key, Signature())
        key_identifier = certificate.extensions.subject_key_identifier or b""
        part = der.sequence(_header(header, certificate.subject_der, algorithm, key_identifier), body)
        return _message(part, sign(own.key, part, Signature()), (own.certificate, *own.chain))


def _header(header: Header, sender: bytes, algorithm: bytes, key_identifier: bytes) -> bytes:
    time = der.tlv(der.GENERALIZED_TIME, f"{header.time:%Y%m%d%H%M%S}Z".encode())
    identifier = (der.explicit(2, der.octet_string(key_identifier)),) if key_identifier else ()
    return der.sequence(
        der.integer(header.version),
        der.tlv(_DIRECTORY_NAME, sender),
        header.recipient,
        der.explicit(0, time),
        der.explicit(1, algorithm),
        *identifier,
        der.explicit(4, der.octet_string(header.transaction_id)),
        der.explicit(5, der.octet_string(header.sender_nonce)),
        der.explicit(6, der.octet_string(header.recipient_nonce)),
        *((der.explicit(8, der.sequence(*header.general_info)),) if header.general_info else ()),
    )


def _message(part: bytes, protection: bytes, certificates: tuple[bytes, ...]) -> bytes:
    extra = (der.explicit(1, der.sequence(*certificates)),) if certificates else ()
    return der.sequence(*der.children(part), der.explicit(0, der.bit_string(protection)), *extra)
