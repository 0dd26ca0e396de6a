"""The server side of the TLS 1.3 handshake (RFC 8446), and the messages after it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from pkigen.serve.tls import key_exchange, record_protection
from pkigen.serve.tls.client_hello import (
    ALPN,
    EARLY_DATA,
    GROUPS,
    KEY_SHARE,
    PRE_SHARED_KEY,
    SCHEMES,
    SERVER_NAME,
    STATUS_REQUEST,
    TLS_1_2,
    TLS_1_3,
    VERSIONS,
    ClientHello,
    client_hello,
)
from pkigen.serve.tls.codec import Alert, AlertDescription, Reader, extension, number, vector
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.key_exchange import KeySchedule
from pkigen.serve.tls.record_protection import CHANGE_CIPHER_SPEC, CipherSuite, NoProtection
from pkigen.serve.tls.records import RecordLayer, Waiting

CLIENT_HELLO = 1
_SERVER_HELLO, _ENCRYPTED_EXTENSIONS, _CERTIFICATE, _CERTIFICATE_VERIFY = 2, 8, 11, 15
_FINISHED, _KEY_UPDATE, _MESSAGE_HASH = 20, 24, 254
_UPDATE_NOT_REQUESTED, _UPDATE_REQUESTED = 0, 1
_OCSP = b"\x01"
_PADDING, _COOKIE = 21, 44
_CHANGEABLE = (_PADDING, PRE_SHARED_KEY, EARLY_DATA, _COOKIE, KEY_SHARE)
"""Extensions that may differ in the second ClientHello (RFC 8446, 4.1.2)."""
_CERTIFICATE_VERIFY_CONTEXT = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"
_RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
"""Random of a HelloRetryRequest (RFC 8446, 4.1.3)."""


@dataclass
class Connection:
    """A connection after the handshake: application data and key updates (RFC 8446, 4.6.3).

    ``from_client`` and ``from_server`` are the current application traffic secrets.
    """

    records: RecordLayer
    suite: CipherSuite
    from_client: bytes = field(repr=False)
    from_server: bytes = field(repr=False)

    def application_data(self) -> Waiting[bytes]:
        """Return the next application data from the client."""
        return self.records.application_data(self._process_message)

    def _process_message(self, kind: int, body: bytes) -> None:
        if kind != _KEY_UPDATE:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        reader = Reader(body)
        request = reader.number(1)
        reader.end()
        if request not in (_UPDATE_NOT_REQUESTED, _UPDATE_REQUESTED):
            raise Alert(AlertDescription.ILLEGAL_PARAMETER)
        self.from_client = key_exchange.updated(self.suite.digest, self.from_client)
        self.records.read_with(record_protection.tls13_protection(self.suite, self.from_client))
        if request == _UPDATE_REQUESTED:
            self.records.send_message(_KEY_UPDATE, number(_UPDATE_NOT_REQUESTED, 1))
            self.from_server = key_exchange.updated(self.suite.digest, self.from_server)
            self.records.writes = record_protection.tls13_protection(self.suite, self.from_server)


def handshake(
    records: RecordLayer, hello: ClientHello, credential: Credential, protocol: bytes
) -> Waiting[Connection]:
    """Run the handshake from the ClientHello, which is in the transcript, to the client's Finished."""
    records.start_tls13(early_data=EARLY_DATA in hello.extensions)
    if not {GROUPS, KEY_SHARE, SCHEMES} <= set(hello.extensions):
        raise Alert(AlertDescription.MISSING_EXTENSION)
    code = _common(hello.suites, tuple(record_protection.TLS_1_3_SUITES))
    suite = record_protection.TLS_1_3_SUITES[code]
    scheme = credential.signer.scheme(hello, is_tls13=True)
    if not set(hello.shares) <= set(hello.groups):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER)
    group = next((one for one in key_exchange.GROUPS if one in hello.shares), None)
    is_retried = group is None
    if group is None:
        group = _common(hello.groups, key_exchange.GROUPS)
        hello = yield from _retry(records, hello, code, suite, group)
    share = key_exchange.new_key_share(group)
    schedule = KeySchedule.of(suite.digest, share.secret(hello.shares[group]))
    _server_hello(records, hello, code, os.urandom(32), number(group, 2) + vector(share.public, 2))
    if not is_retried:
        _send_change_cipher_spec(records, hello)
    from_client = schedule.traffic(schedule.handshake, "c hs traffic", records.transcript)
    from_server = schedule.traffic(schedule.handshake, "s hs traffic", records.transcript)
    records.read_with(record_protection.tls13_protection(suite, from_client))
    records.writes = record_protection.tls13_protection(suite, from_server)
    records.send_message(_ENCRYPTED_EXTENSIONS, vector(_extensions(hello, protocol), 2))
    records.send_message(_CERTIFICATE, _certificate(hello, credential))
    content = _CERTIFICATE_VERIFY_CONTEXT + hashlib.new(suite.digest, records.transcript).digest()
    records.send_message(_CERTIFICATE_VERIFY, credential.signer.sign(content, scheme))
    records.send_message(_FINISHED, schedule.finished(from_server, records.transcript))
    to_client = schedule.traffic(schedule.master, "s ap traffic", records.transcript)
    to_server = schedule.traffic(schedule.master, "c ap traffic", records.transcript)
    records.writes = record_protection.tls13_protection(suite, to_client)
    expected = schedule.finished(from_client, records.transcript)
    finished = yield from records.message(_FINISHED)
    key_exchange.check_verify_data(finished, expected)
    records.end_tls13_handshake(record_protection.tls13_protection(suite, to_server))
    return Connection(records, suite, to_server, to_client)


def _common(offered: tuple[int, ...], supported: tuple[int, ...]) -> int:
    """Return the client's first choice that the server supports."""
    choice = next((one for one in offered if one in supported), None)
    if choice is None:
        raise Alert(AlertDescription.HANDSHAKE_FAILURE)
    return choice


def _retry(
    records: RecordLayer, hello: ClientHello, code: int, suite: CipherSuite, group: int
) -> Waiting[ClientHello]:
    """Request a key share of another supported group (HelloRetryRequest)."""
    digest = hashlib.new(suite.digest, records.transcript).digest()
    records.transcript = number(_MESSAGE_HASH, 1) + vector(digest, 3)
    _server_hello(records, hello, code, _RETRY, number(group, 2))
    _send_change_cipher_spec(records, hello)
    second = client_hello((yield from records.message(CLIENT_HELLO)))
    if tuple(second.shares) != (group,) or EARLY_DATA in second.extensions or _fixed(second) != _fixed(hello):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER)
    records.read_with(NoProtection())
    return second


def _fixed(hello: ClientHello) -> tuple[object, ...]:
    extensions = [item for item in hello.extensions.items() if item[0] not in _CHANGEABLE]
    return hello.version, hello.random, hello.session_id, hello.suites, extensions


def _server_hello(records: RecordLayer, hello: ClientHello, code: int, random: bytes, share: bytes) -> None:
    """Send a ServerHello; ``share`` is the entry of its key share."""
    extensions = extension(VERSIONS, number(TLS_1_3, 2)) + extension(KEY_SHARE, share)
    body = number(TLS_1_2, 2) + random + vector(hello.session_id, 1) + number(code, 2) + b"\0"
    records.send_message(_SERVER_HELLO, body + vector(extensions, 2))


def _send_change_cipher_spec(records: RecordLayer, hello: ClientHello) -> None:
    """Send the change_cipher_spec that some middleboxes expect after the server's first message (D.4)."""
    if hello.session_id:
        records.send(CHANGE_CIPHER_SPEC, b"\x01")


def _extensions(hello: ClientHello, protocol: bytes) -> bytes:
    """Return the extensions of EncryptedExtensions."""
    extensions = extension(SERVER_NAME) if hello.name is not None else b""
    if protocol:
        extensions += extension(ALPN, vector(vector(protocol, 1), 2))
    return extensions


def _certificate(hello: ClientHello, credential: Credential) -> bytes:
    """Return the Certificate message (4.4.2): unmodified bytes, with the OCSP response on the first entry."""
    entries = b""
    for position, certificate in enumerate(credential.certificates):
        staple = b""
        if position == 0 and credential.staple and hello.requests_staple:
            staple = extension(STATUS_REQUEST, _OCSP + vector(credential.staple, 3))
        entries += vector(certificate, 3) + vector(staple, 2)
    return vector(b"", 1) + vector(entries, 3)
