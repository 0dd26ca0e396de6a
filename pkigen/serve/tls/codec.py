"""The presentation language of TLS (RFC 8446, 3) and its alerts (RFC 8446, 6)."""

from __future__ import annotations

import struct
from enum import IntEnum


def number(value: int, size: int) -> bytes:
    """Encode a number in ``size`` bytes."""
    return value.to_bytes(size, "big")


def vector(data: bytes, size: int) -> bytes:
    """Prefix data with its length in ``size`` bytes; OverflowError if it is too long."""
    return len(data).to_bytes(size, "big") + data


def extension(code: int, data: bytes = b"") -> bytes:
    """Encode an Extension (RFC 8446, 4.2)."""
    return number(code, 2) + vector(data, 2)


class Reader:
    """Parses a structure from front to back; malformed data raises the alert decode_error."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        end = self._position + size
        if end > len(self._data):
            raise Alert(AlertDescription.DECODE_ERROR)
        taken, self._position = self._data[self._position : end], end
        return taken

    def number(self, size: int) -> int:
        """Return the next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Return the next vector, whose length has ``size`` bytes."""
        return self.take(self.number(size))

    def numbers(self, size: int) -> tuple[int, ...]:
        """Return a vector of one or more two-byte numbers; its length has ``size`` bytes."""
        data = self.vector(size)
        if not data or len(data) % 2:
            raise Alert(AlertDescription.DECODE_ERROR)
        return struct.unpack(f">{len(data) // 2}H", data)

    def entries(self, size: int) -> Reader:
        """Return a reader of the vector that is the rest of the data; its length has ``size`` bytes."""
        entries = Reader(self.vector(size))
        self.end()
        return entries

    @property
    def left(self) -> bool:
        """Whether there are more bytes."""
        return self._position < len(self._data)

    def end(self) -> None:
        """Raise the alert if there are more bytes."""
        if self.left:
            raise Alert(AlertDescription.DECODE_ERROR)


class AlertDescription(IntEnum):
    """AlertDescription: those of TLS 1.0 to 1.3 that are still in use."""

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
    """Aborts the connection from this side: the alert is sent to the client."""

    def __init__(self, description: AlertDescription) -> None:
        super().__init__(description.name.lower())
        self.description = description


class PeerAlert(Exception):
    """An alert from the client, which ends the connection."""

    def __init__(self, code: int) -> None:
        known = code in AlertDescription.__members__.values()
        super().__init__(AlertDescription(code).name.lower() if known else f"alert {code}")
        self.code = code
