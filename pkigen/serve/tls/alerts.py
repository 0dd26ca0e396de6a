"""Alerts (RFC 8446, 6): what one side says when it gives up."""

from __future__ import annotations

from enum import IntEnum


class Description(IntEnum):
    """AlertDescription, those of TLS 1.0 to 1.3 that are still sent."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120


class Alert(Exception):
    """This side gives up: the alert goes to the client, then the connection ends."""

    def __init__(self, description: Description) -> None:
        super().__init__(description.name.lower())
        self.description = description


class Goodbye(Exception):
    """The client gives up, or is done: the alert that came from it."""

    def __init__(self, code: int) -> None:
        known = code in Description.__members__.values()
        super().__init__(Description(code).name.lower() if known else f"alert {code}")
        self.code = code
