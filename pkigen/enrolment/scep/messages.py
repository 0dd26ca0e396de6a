"""Messages of SCEP: the attributes of a pkiMessage, and responses (RFC 8894, 3)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from pkigen.asn1 import der
from pkigen.enrolment.decode import Undecodable
from pkigen.enrolment.scep.cms import Signed

_VERISIGN = "2.16.840.1.113733.1.9."
_TYPE, _STATUS, _FAILURE, _SENDER_NONCE, _RECIPIENT_NONCE, _TRANSACTION = (
    _VERISIGN + number for number in ("2", "3", "4", "5", "6", "7")
)
_FAILURE_TEXT = "1.3.6.1.5.5.7.24.1"
_CERT_REP = 3
_NONCE = 16
_LONGEST = 256


class MessageType(IntEnum):
    """The types of request."""

    RENEWAL_REQ, PKCS_REQ, CERT_POLL, GET_CERT, GET_CRL = 17, 19, 20, 21, 22

    @property
    def title(self) -> str:
        """The name in RFC 8894."""
        return _TITLES[self]


_TITLES = {
    MessageType.RENEWAL_REQ: "RenewalReq",
    MessageType.PKCS_REQ: "PKCSReq",
    MessageType.CERT_POLL: "CertPoll",
    MessageType.GET_CERT: "GetCert",
    MessageType.GET_CRL: "GetCRL",
}


class PkiStatus(IntEnum):
    """The status of a response."""

    SUCCESS, FAILURE, PENDING = 0, 2, 3


class FailInfo(IntEnum):
    """The reason of a failure."""

    BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID = range(5)


class Failed(Exception):
    """A request that is answered with FAILURE; ``text`` is the failInfoText."""

    def __init__(self, failure: FailInfo, text: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text


@dataclass(frozen=True)
class RequestAttributes:
    """The attributes of a request; ``kind`` is None for a type that the server does not know."""

    kind: MessageType | None
    transaction_id: bytes
    sender_nonce: bytes


def request_attributes(signed: Signed) -> RequestAttributes:
    """Return the attributes of a request; Undecodable if one is missing."""
    number, transaction = _text(signed, _TYPE), _text(signed, _TRANSACTION)
    nonce = signed.attributes.get(_SENDER_NONCE, b"")
    if nonce[:1] != bytes((der.OCTET_STRING,)) or len(nonce) > _LONGEST:
        raise Undecodable("the message has no senderNonce")
    kinds = {str(one.value).encode(): one for one in MessageType}
    return RequestAttributes(kinds.get(number), transaction, der.contents(nonce))


def _text(signed: Signed, oid: str) -> bytes:
    value = signed.attributes.get(oid, b"")
    if value[:1] not in (bytes((der.PRINTABLE_STRING,)), bytes((der.UTF8_STRING,))) or len(value) > _LONGEST:
        raise Undecodable(f"the message has no attribute {oid}")
    return der.contents(value)


def response_attributes(
    request: RequestAttributes, status: PkiStatus, failed: Failed | None = None
) -> Mapping[str, bytes]:
    """Return the attributes of the response to a request."""
    attributes = {
        _TYPE: _printable(str(_CERT_REP)),
        _STATUS: _printable(str(status.value)),
        _SENDER_NONCE: der.octet_string(secrets.token_bytes(_NONCE)),
        _RECIPIENT_NONCE: der.octet_string(request.sender_nonce),
        _TRANSACTION: der.tlv(der.PRINTABLE_STRING, request.transaction_id),
    }
    if failed is not None:
        attributes[_FAILURE] = _printable(str(failed.failure.value))
        attributes[_FAILURE_TEXT] = der.string(der.UTF8_STRING, failed.text)
    return attributes


def _printable(text: str) -> bytes:
    return der.string(der.PRINTABLE_STRING, text)
