"""The handshake of TLS 1.3 (RFC 8446), a server's side of it."""

from __future__ import annotations

import hashlib
import hmac
import os

from pkigen.serve.tls import cipher_suites, groups
from pkigen.serve.tls.alerts import Alert, Description
from pkigen.serve.tls.cipher_suites import Suite
from pkigen.serve.tls.client_hello import (
    ALPN,
    GROUPS,
    KEY_SHARE,
    SERVER_NAME,
    STATUS_REQUEST,
    TLS_1_2,
    TLS_1_3,
    VERSIONS,
    ClientHello,
    client_hello,
)
from pkigen.serve.tls.codec import extension, number, vector
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.key_schedule import Schedule
from pkigen.serve.tls.protection import CHANGE_CIPHER_SPEC
from pkigen.serve.tls.records import Waiting, Wire

CLIENT_HELLO = 1
_SERVER_HELLO, _ENCRYPTED_EXTENSIONS, _CERTIFICATE, _CERTIFICATE_VERIFY = 2, 8, 11, 15
_FINISHED, _MESSAGE_HASH = 20, 254
_OCSP = b"\x01"
_PROOF = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"
_RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
"""The random of a ServerHello that asks for another key share (RFC 8446, 4.1.3)."""


def handshake(wire: Wire, hello: ClientHello, credential: Credential, protocol: bytes) -> Waiting[None]:
    """From the ClientHello, which is in the transcript, to the client's Finished.

    After it, ``wire`` reads and writes application data.
    """
    wire.modern = True
    code = _common(hello.suites, tuple(cipher_suites.MODERN))
    suite = cipher_suites.MODERN[code]
    group = next((one for one in groups.GROUPS if one in hello.shares), None)
    if group is None:
        group = _common(hello.groups, groups.GROUPS)
        hello = yield from _again(wire, hello, code, suite, group)
    share = groups.share(group)
    schedule = Schedule.of(suite.digest, share.secret(hello.shares[group]))
    _server_hello(wire, hello, code, os.urandom(32), number(group, 2) + vector(share.public, 2))
    _for_middleboxes(wire, hello)
    from_client = schedule.traffic(schedule.handshake, "c hs traffic", wire.transcript)
    from_server = schedule.traffic(schedule.handshake, "s hs traffic", wire.transcript)
    wire.reads, wire.writes = (
        cipher_suites.modern(suite, from_client),
        cipher_suites.modern(suite, from_server),
    )
    wire.send_message(_ENCRYPTED_EXTENSIONS, vector(_extensions(hello, protocol), 2))
    wire.send_message(_CERTIFICATE, _certificate(hello, credential))
    content = _PROOF + hashlib.new(suite.digest, wire.transcript).digest()
    scheme, signature = credential.prover.prove(content, hello.schemes, modern=True)
    wire.send_message(_CERTIFICATE_VERIFY, number(scheme, 2) + vector(signature, 2))
    wire.send_message(_FINISHED, schedule.finished(from_server, wire.transcript))
    to_client = schedule.traffic(schedule.master, "s ap traffic", wire.transcript)
    to_server = schedule.traffic(schedule.master, "c ap traffic", wire.transcript)
    wire.writes = cipher_suites.modern(suite, to_client)
    expected = schedule.finished(from_client, wire.transcript)
    finished = yield from wire.message(_FINISHED)
    if not hmac.compare_digest(finished, expected):
        raise Alert(Description.DECRYPT_ERROR)
    wire.reads = cipher_suites.modern(suite, to_server)


def _common(theirs: tuple[int, ...], ours: tuple[int, ...]) -> int:
    """The client's first choice among what is known here."""
    found = next((one for one in theirs if one in ours), None)
    if found is None:
        raise Alert(Description.HANDSHAKE_FAILURE)
    return found


def _again(wire: Wire, hello: ClientHello, code: int, suite: Suite, group: int) -> Waiting[ClientHello]:
    """Ask for a share of a group that the client has and has not guessed (HelloRetryRequest)."""
    digest = hashlib.new(suite.digest, wire.transcript).digest()
    wire.transcript = number(_MESSAGE_HASH, 1) + vector(digest, 3)
    _server_hello(wire, hello, code, _RETRY, number(group, 2))
    again = client_hello((yield from wire.message(CLIENT_HELLO)))
    if group not in again.shares or code not in again.suites or again.name != hello.name:
        raise Alert(Description.ILLEGAL_PARAMETER)
    return again


def _server_hello(wire: Wire, hello: ClientHello, code: int, random: bytes, share: bytes) -> None:
    """A ServerHello; ``share`` is the entry of its key share."""
    extensions = extension(VERSIONS, number(TLS_1_3, 2)) + extension(KEY_SHARE, share)
    body = number(TLS_1_2, 2) + random + vector(hello.session_id, 1) + number(code, 2) + b"\0"
    wire.send_message(_SERVER_HELLO, body + vector(extensions, 2))


def _for_middleboxes(wire: Wire, hello: ClientHello) -> None:
    """The change_cipher_spec that some of them expect (D.4); a client passes over it."""
    if hello.session_id:
        wire.send(CHANGE_CIPHER_SPEC, b"\x01")


def _extensions(hello: ClientHello, protocol: bytes) -> bytes:
    """What is told under encryption."""
    found = extension(SERVER_NAME) if hello.name is not None else b""
    found += extension(GROUPS, vector(b"".join(number(one, 2) for one in groups.GROUPS), 2))
    if protocol:
        found += extension(ALPN, vector(vector(protocol, 1), 2))
    return found


def _certificate(hello: ClientHello, credential: Credential) -> bytes:
    """Certificate (4.4.2): whatever octets there are, and the OCSP answer with the first of them."""
    entries = b""
    for position, certificate in enumerate(credential.certificates):
        staple = b""
        if position == 0 and credential.staple and hello.wants_staple:
            staple = extension(STATUS_REQUEST, _OCSP + vector(credential.staple, 3))
        entries += vector(certificate, 3) + vector(staple, 2)
    return vector(b"", 1) + vector(entries, 3)
