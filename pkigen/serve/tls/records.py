"""The record layer: parses and creates records and handshake messages, without a socket.

Methods that need more input are generators that yield until it has arrived.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from pkigen.serve.tls.codec import Alert, AlertDescription, PeerAlert, Reader, number, vector
from pkigen.serve.tls.record_protection import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    NoProtection,
    Protection,
)

Result = TypeVar("Result")
Waiting = Generator[None, None, Result]

_HEADER = 5
_KINDS = (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION)
_MAX_RECORD_BYTES = 1 << 14
_MAX_FRAGMENT_BYTES = _MAX_RECORD_BYTES + 2048
_MAX_MESSAGE_BYTES = 1 << 16
_FATAL = 2


class RecordLayer:
    """The records of one connection: ``arrived`` from the client, ``outgoing`` to it.

    ``transcript`` contains the handshake messages of both sides. ``is_tls13`` ignores change_cipher_spec
    records, which TLS 1.3 uses for compatibility with middleboxes (RFC 8446, D.4).
    """

    def __init__(self) -> None:
        self.arrived, self.outgoing = bytearray(), bytearray()
        self.transcript = b""
        self.reads: Protection = NoProtection()
        self.writes: Protection = NoProtection()
        self.is_tls13 = False
        self._messages = bytearray()

    def record(self) -> Waiting[tuple[int, bytes]]:
        """Return the content type and data of the next record; raise PeerAlert for an alert."""
        while True:
            header = yield from self._take(_HEADER)
            size = int.from_bytes(header[3:], "big")
            if header[0] not in _KINDS:
                raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
            if size > _MAX_FRAGMENT_BYTES:
                raise Alert(AlertDescription.RECORD_OVERFLOW)
            fragment = yield from self._take(size)
            kind, data = self.reads.open(header[0], fragment)
            if len(data) > _MAX_RECORD_BYTES:
                raise Alert(AlertDescription.RECORD_OVERFLOW)
            if kind == ALERT:
                raise PeerAlert(Reader(data[1:]).number(1))
            if kind != CHANGE_CIPHER_SPEC or not self.is_tls13:
                return kind, data

    def message(self, expected: int) -> Waiting[bytes]:
        """Return the body of the next handshake message and add it to the transcript.

        Raises Alert if it is not of the expected type.
        """
        while len(self._messages) < 4 or len(self._messages) < self._needed():
            kind, data = yield from self.record()
            if kind != HANDSHAKE or not data:
                raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
            self._messages += data
        message = bytes(self._messages[: self._needed()])
        del self._messages[: len(message)]
        if message[0] != expected:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        self.transcript += message
        return message[4:]

    def change_cipher_spec(self) -> Waiting[None]:
        """Receive the record that switches keys in TLS 1.2 and earlier."""
        kind, data = yield from self.record()
        if kind != CHANGE_CIPHER_SPEC or data != b"\x01" or self._messages:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)

    def send(self, kind: int, data: bytes) -> None:
        """Send data of a content type in as many records as needed."""
        for start in range(0, len(data), _MAX_RECORD_BYTES):
            self.outgoing += self.writes.seal(kind, data[start : start + _MAX_RECORD_BYTES])

    def send_message(self, kind: int, body: bytes) -> None:
        """Send a handshake message; OverflowError for a body of 16 MiB or more."""
        message = number(kind, 1) + vector(body, 3)
        self.transcript += message
        self.send(HANDSHAKE, message)

    def send_alert(self, description: AlertDescription) -> None:
        """Send an alert; all except close_notify are fatal."""
        level = 1 if description is AlertDescription.CLOSE_NOTIFY else _FATAL
        self.send(ALERT, bytes((level, description)))

    def _needed(self) -> int:
        size = int.from_bytes(self._messages[1:4], "big")
        if size > _MAX_MESSAGE_BYTES:
            raise Alert(AlertDescription.DECODE_ERROR)
        return 4 + size

    def _take(self, size: int) -> Waiting[bytes]:
        while len(self.arrived) < size:
            yield
        data = bytes(self.arrived[:size])
        del self.arrived[:size]
        return data
