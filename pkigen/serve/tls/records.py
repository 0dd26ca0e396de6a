"""The record layer: parses and creates records and handshake messages, without a socket.

Methods that need more input are generators that yield until it has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from pkigen.serve.tls.codec import Alert, AlertDescription, PeerAlert, number, vector
from pkigen.serve.tls.record_protection import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    MAX_RECORD_BYTES,
    NoProtection,
    Protection,
)

Result = TypeVar("Result")
Waiting = Generator[None, None, Result]

_HEADER = 5
_KINDS = (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION)
_MAX_EXPANSION, _MAX_TLS13_EXPANSION = 2048, 256
# A ClientHello with two full lists, of cipher suites and of extensions.
_MAX_MESSAGE_BYTES = (1 << 17) + (1 << 10)
_MAX_EARLY_DATA_BYTES = 1 << 14
_MAX_WARNINGS = 4
_WARNING, _FATAL = 1, 2
_SENT_AS_WARNING = (AlertDescription.CLOSE_NOTIFY, AlertDescription.NO_RENEGOTIATION)


class RecordLayer:
    """The records of one connection: ``arrived`` from the client, ``outgoing`` to it.

    ``transcript`` contains the handshake messages of both sides.
    """

    def __init__(self) -> None:
        self.arrived, self.outgoing = bytearray(), bytearray()
        self.transcript = b""
        self.writes: Protection = NoProtection()
        self._reads: Protection = NoProtection()
        self._messages = bytearray()
        self._is_tls13 = self._ignores_change_cipher_spec = False
        self._early_data_left = self._warnings = 0

    def start_tls13(self, *, early_data: bool) -> None:
        """Apply the rules of TLS 1.3 after the ClientHello.

        Until the end of the handshake, the change_cipher_spec for middleboxes is ignored (RFC 8446, D.4).
        ``early_data``: the client sends early data, which this server rejects; records that it cannot decrypt
        are skipped until the next handshake message (4.2.10).
        """
        self.read_with(self._reads)
        self._is_tls13 = self._ignores_change_cipher_spec = True
        self._early_data_left = _MAX_EARLY_DATA_BYTES if early_data else 0

    def end_tls13_handshake(self, reads: Protection) -> None:
        """Read application data, after the client's Finished."""
        self.read_with(reads)
        self._ignores_change_cipher_spec = False

    def read_with(self, protection: Protection) -> None:
        """Change the keys of received records; no message may span the change (RFC 8446, 5.1)."""
        if self._messages:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        self._reads = protection

    def record(self) -> Waiting[tuple[int, bytes]]:
        """Return the content type and data of the next record; raise PeerAlert for an alert that is fatal."""
        while True:
            header = yield from self._take(_HEADER)
            kind, size = header[0], int.from_bytes(header[3:], "big")
            if kind not in _KINDS:
                raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
            expansion = _MAX_TLS13_EXPANSION if self._is_tls13 else _MAX_EXPANSION
            if size > MAX_RECORD_BYTES + expansion:
                raise Alert(AlertDescription.RECORD_OVERFLOW)
            fragment = yield from self._take(size)
            if kind == CHANGE_CIPHER_SPEC and self._is_tls13:
                self._check_ignored(fragment)
                continue
            try:
                kind, data = self._open(kind, fragment)
            except Alert as alert:
                if alert.description is AlertDescription.BAD_RECORD_MAC and self._skip_early_data(size):
                    continue
                raise
            if len(data) > MAX_RECORD_BYTES:
                raise Alert(AlertDescription.RECORD_OVERFLOW)
            if kind != ALERT:
                self._warnings = self._early_data_left = 0
                return kind, data
            self._process_alert(data)

    def message(self, expected: int) -> Waiting[bytes]:
        """Return the body of the next handshake message and add it to the transcript.

        Raises Alert if it is not of the expected type.
        """
        while (message := self._next_message()) is None:
            kind, data = yield from self.record()
            self._add_to_message(kind, data)
        if message[0] != expected:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        self.transcript += message
        return message[4:]

    def application_data(self, process_message: Callable[[int, bytes], None]) -> Waiting[bytes]:
        """Return the next application data.

        ``process_message`` is called with type and body of each handshake message before it.
        """
        while True:
            kind, data = yield from self.record()
            if kind == APPLICATION and not self._messages:
                return data
            self._add_to_message(kind, data)
            while (message := self._next_message()) is not None:
                process_message(message[0], message[4:])

    def change_cipher_spec(self) -> Waiting[None]:
        """Receive the record that switches keys in TLS 1.2 and earlier."""
        kind, data = yield from self.record()
        if kind != CHANGE_CIPHER_SPEC or data != b"\x01":
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)

    def send(self, kind: int, data: bytes) -> None:
        """Send data of a content type in as many records as needed."""
        for start in range(0, len(data), MAX_RECORD_BYTES):
            self.outgoing += self.writes.seal(kind, data[start : start + MAX_RECORD_BYTES])

    def send_message(self, kind: int, body: bytes) -> None:
        """Send a handshake message; OverflowError for a body of 16 MiB or more."""
        message = number(kind, 1) + vector(body, 3)
        self.transcript += message
        self.send(HANDSHAKE, message)

    def send_alert(self, description: AlertDescription) -> None:
        """Send an alert; all except close_notify and no_renegotiation are fatal."""
        level = _WARNING if description in _SENT_AS_WARNING else _FATAL
        self.send(ALERT, bytes((level, description)))

    def _open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        if kind == APPLICATION and self._early_data_left and isinstance(self._reads, NoProtection):
            # There are no keys yet, because the server waits for a second ClientHello.
            raise Alert(AlertDescription.BAD_RECORD_MAC)
        return self._reads.open(kind, fragment)

    def _check_ignored(self, change_cipher_spec: bytes) -> None:
        if change_cipher_spec != b"\x01" or not self._ignores_change_cipher_spec:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)

    def _skip_early_data(self, size: int) -> bool:
        """Return whether a record of ``size`` bytes may be early data."""
        if not 0 < size <= self._early_data_left:
            return False
        self._early_data_left -= size
        return True

    def _process_alert(self, data: bytes) -> None:
        """Ignore a few warnings; raise PeerAlert for other alerts.

        TLS 1.3 ignores the level: user_canceled is the only warning (RFC 8446, 6).
        """
        if len(data) != 2:
            is_empty = self._is_tls13 and not data
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE if is_empty else AlertDescription.DECODE_ERROR)
        level, code = data
        is_warning = code == AlertDescription.USER_CANCELED if self._is_tls13 else level == _WARNING
        if not is_warning or code == AlertDescription.CLOSE_NOTIFY:
            raise PeerAlert(code)
        self._warnings += 1
        if self._warnings > _MAX_WARNINGS:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)

    def _add_to_message(self, kind: int, data: bytes) -> None:
        if kind != HANDSHAKE or not data:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        self._messages += data

    def _next_message(self) -> bytes | None:
        """Remove the next handshake message from the received data; None if it is incomplete."""
        if len(self._messages) < 4:
            return None
        size = int.from_bytes(self._messages[1:4], "big")
        if size > _MAX_MESSAGE_BYTES:
            raise Alert(AlertDescription.DECODE_ERROR)
        if len(self._messages) < 4 + size:
            return None
        message = bytes(self._messages[: 4 + size])
        del self._messages[: len(message)]
        return message

    def _take(self, size: int) -> Waiting[bytes]:
        while len(self.arrived) < size:
            yield
        data = bytes(self.arrived[:size])
        del self.arrived[:size]
        return data
