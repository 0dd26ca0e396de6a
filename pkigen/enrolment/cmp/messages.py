"""Decoded CMP messages, and the encoding of messages of the server (RFC 9810, 5.1 to 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pkigen.asn1 import der
from pkigen.enrolment.cmp.structures import PkiHeader, PkiMessage
from pkigen.enrolment.decode import Undecodable, decode, raw, tag

IMPLICIT_CONFIRM, CONFIRM_WAIT_TIME = "1.3.6.1.5.5.7.4.13", "1.3.6.1.5.5.7.4.14"
_SHORTEST_ID, _LONGEST_ID = 1, 64
_EXPLICIT = 0xA0
_TAG_NUMBER = 0x1F


class Body(IntEnum):
    """The kinds of message, by the tag number of their body."""

    IR, IP, CR, CP, P10CR = 0, 1, 2, 3, 4
    KUR, KUP = 7, 8
    RR, RP = 11, 12
    PKICONF, NESTED, GENM, GENP, ERROR, CERTCONF, POLLREQ, POLLREP = 19, 20, 21, 22, 23, 24, 25, 26


_TITLES = {Body.CERTCONF: "certConf", Body.POLLREQ: "pollReq"}


def title(kind: int) -> str:
    """Return the name of a kind of message, as RFC 9810 and `openssl cmp` spell it."""
    return next((_TITLES.get(one, one.name.lower()) for one in Body if one == kind), "")


class Status(IntEnum):
    """PKIStatus."""

    ACCEPTED, GRANTED_WITH_MODS, REJECTION, WAITING = 0, 1, 2, 3
    REVOCATION_WARNING, REVOCATION_NOTIFICATION, KEY_UPDATE_WARNING = 4, 5, 6


class Failure(IntEnum):
    """The bits of PKIFailureInfo."""

    BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID, BAD_DATA_FORMAT = range(6)
    WRONG_AUTHORITY, INCORRECT_DATA, MISSING_TIME_STAMP, BAD_POP, CERT_REVOKED, CERT_CONFIRMED = range(6, 12)
    WRONG_INTEGRITY, BAD_RECIPIENT_NONCE, TIME_NOT_AVAILABLE, UNACCEPTED_POLICY = range(12, 16)
    UNACCEPTED_EXTENSION, ADD_INFO_NOT_AVAILABLE, BAD_SENDER_NONCE, BAD_CERT_TEMPLATE = range(16, 20)
    SIGNER_NOT_TRUSTED, TRANSACTION_ID_IN_USE, UNSUPPORTED_VERSION, NOT_AUTHORIZED = range(20, 24)
    SYSTEM_UNAVAIL, SYSTEM_FAILURE, DUPLICATE_CERT_REQ = range(24, 27)


class Failed(Exception):
    """A request that is answered with an error; ``text`` is for the user of the client."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text


@dataclass(frozen=True)
class Message:
    """A received message. ``content`` is the DER of the body without its tag, ``kind`` the tag's number."""

    header: PkiHeader
    kind: int
    content: bytes
    protected_part: bytes
    protection: bytes | None
    certificates: tuple[bytes, ...]

    @property
    def transaction_id(self) -> bytes:
        """The identifier of the transaction; empty if there is none."""
        return self.header.transaction_id or b""

    def general_info(self, oid: str) -> bool:
        """Return whether the header has an information of a type."""
        encoded = der.oid(oid)
        return any(one and raw(one[0]) == encoded for one in self.header.general_info or ())


def read_message(data: bytes) -> Message:
    """Return a message; Undecodable if it is not a CMP message in DER."""
    message = decode(PkiMessage, data)
    header, body = raw(message.header), raw(message.body)
    kind = tag(message.body)
    if kind & ~_TAG_NUMBER != _EXPLICIT:
        raise Undecodable("the body has no explicit tag")
    content = bytes(message.body.data)
    try:
        is_one_element = der.read(content)[2] == len(content)
    except ValueError as error:
        raise Undecodable(f"the body: {error}") from error
    if not is_one_element:
        raise Undecodable("the body does not consist of one element")
    return Message(
        decode(PkiHeader, header),
        kind & _TAG_NUMBER,
        content,
        der.sequence(header, body),
        None if message.protection is None else message.protection.as_bytes(),
        tuple(map(raw, message.extra_certificates or ())),
    )


def check_header(message: Message) -> None:
    """Raise Failed if the fields that every request needs are missing (RFC 9483, 3.1)."""
    header = message.header
    if header.version not in (2, 3):
        # Without the version: a number of any size is no text that Python formats.
        raise Failed(Failure.UNSUPPORTED_VERSION, "the version must be cmp2000 or cmp2021")
    if not _SHORTEST_ID <= len(message.transaction_id) <= _LONGEST_ID:
        raise Failed(Failure.BAD_DATA_FORMAT, "the header needs a transactionID")
    if not header.sender_nonce or len(header.sender_nonce) > _LONGEST_ID:
        raise Failed(Failure.BAD_SENDER_NONCE, "the header needs a senderNonce")


def status_info(status: Status, text: str = "", failure: int | None = None) -> bytes:
    """Return PKIStatusInfo; ``failure`` is the number of a bit."""
    parts = [der.integer(status)]
    if text:
        parts.append(free_text(text))
    if failure is not None:
        octets, unused = failure // 8 + 1, 7 - failure % 8
        parts.append(der.bit_string((1 << unused).to_bytes(octets, "big"), unused))
    return der.sequence(*parts)


def free_text(text: str) -> bytes:
    """Return PKIFreeText with one string."""
    return der.sequence(der.string(der.UTF8_STRING, text))


def certificate_response(request_id: int, status: bytes, certificate: bytes = b"") -> bytes:
    """Return CertResponse: the status, and the certificate if one is issued."""
    pair = (der.sequence(der.explicit(0, certificate)),) if certificate else ()
    return der.sequence(der.integer(request_id), status, *pair)


def certificate_responses(responses: Iterable[bytes], ca_certificates: Sequence[bytes] = ()) -> bytes:
    """Return CertRepMessage, the body of ip, cp and kup."""
    published = (der.explicit(1, der.sequence(*ca_certificates)),) if ca_certificates else ()
    return der.sequence(*published, der.sequence(*responses))


def poll_response(request_id: int, seconds: int) -> bytes:
    """Return PollRepContent: the client asks again after some seconds."""
    return der.sequence(der.sequence(der.integer(request_id), der.integer(seconds)))


def error_content(error: Failed) -> bytes:
    """Return ErrorMsgContent."""
    return der.sequence(status_info(Status.REJECTION, error.text, error.failure))


def info(oid: str, value: bytes = b"") -> bytes:
    """Return InfoTypeAndValue."""
    return der.sequence(der.oid(oid), value)
