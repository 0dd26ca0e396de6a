"""Records and the handshake messages in them, taken apart and put together without a socket.

What waits for more octets is a generator that yields until they are there.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from pkigen.serve.tls.alerts import Alert, Description, Goodbye
from pkigen.serve.tls.codec import Reader, number, vector
from pkigen.serve.tls.protection import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    Plain,
    Protection,
)

Result = TypeVar("Result")
Waiting = Generator[None, None, Result]

_HEADER = 5
_KINDS = (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION)
_MOST_IN_A_RECORD = 1 << 14
_MOST_EXPANDED = _MOST_IN_A_RECORD + 2048
_MOST_IN_A_MESSAGE = 1 << 16
_FATAL = 2


class Wire:
    """One connection's octets: ``arrived`` from the client, ``outgoing`` to it.

    ``transcript`` holds all handshake messages of both sides. ``modern`` passes over the
    change_cipher_spec records that TLS 1.3 has for the sake of middleboxes (RFC 8446, D.4).
    """

    def __init__(self) -> None:
        self.arrived, self.outgoing = bytearray(), bytearray()
        self.transcript = b""
        self.reads: Protection = Plain()
        self.writes: Protection = Plain()
        self.modern = False
        self._messages = bytearray()

    def record(self) -> Waiting[tuple[int, bytes]]:
        """The next record's content type and data; Goodbye when it is an alert."""
        while True:
            header = yield from self._take(_HEADER)
            size = int.from_bytes(header[3:], "big")
            if header[0] not in _KINDS:
                raise Alert(Description.UNEXPECTED_MESSAGE)
            if size > _MOST_EXPANDED:
                raise Alert(Description.RECORD_OVERFLOW)
            fragment = yield from self._take(size)
            kind, data = self.reads.open(header[0], fragment)
            if len(data) > _MOST_IN_A_RECORD:
                raise Alert(Description.RECORD_OVERFLOW)
            if kind == ALERT:
                raise Goodbye(Reader(data[1:]).number(1))
            if kind != CHANGE_CIPHER_SPEC or not self.modern:
                return kind, data

    def message(self, expected: int) -> Waiting[bytes]:
        """The body of the next handshake message, which must be of a type; it joins the transcript."""
        while len(self._messages) < 4 or len(self._messages) < self._needed():
            kind, data = yield from self.record()
            if kind != HANDSHAKE or not data:
                raise Alert(Description.UNEXPECTED_MESSAGE)
            self._messages += data
        message = bytes(self._messages[: self._needed()])
        del self._messages[: len(message)]
        if message[0] != expected:
            raise Alert(Description.UNEXPECTED_MESSAGE)
        self.transcript += message
        return message[4:]

    def change_cipher_spec(self) -> Waiting[None]:
        """The record by which TLS 1.2 and before change keys."""
        kind, data = yield from self.record()
        if kind != CHANGE_CIPHER_SPEC or data != b"\x01" or self._messages:
            raise Alert(Description.UNEXPECTED_MESSAGE)

    def send(self, kind: int, data: bytes) -> None:
        """Octets of a content type, in as many records as they need."""
        for start in range(0, len(data), _MOST_IN_A_RECORD):
            self.outgoing += self.writes.seal(kind, data[start : start + _MOST_IN_A_RECORD])

    def send_message(self, kind: int, body: bytes) -> None:
        """A handshake message; OverflowError for a body of 16 MiB or more."""
        message = number(kind, 1) + vector(body, 3)
        self.transcript += message
        self.send(HANDSHAKE, message)

    def send_alert(self, description: Description) -> None:
        """An alert; all but close_notify are fatal."""
        level = 1 if description is Description.CLOSE_NOTIFY else _FATAL
        self.send(ALERT, bytes((level, description)))

    def _needed(self) -> int:
        size = int.from_bytes(self._messages[1:4], "big")
        if size > _MOST_IN_A_MESSAGE:
            raise Alert(Description.DECODE_ERROR)
        return 4 + size

    def _take(self, size: int) -> Waiting[bytes]:
        while len(self.arrived) < size:
            yield
        taken = bytes(self.arrived[:size])
        del self.arrived[:size]
        return taken
