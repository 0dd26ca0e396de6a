"""The handshake of TLS 1.2 (RFC 5246) and 1.0 (RFC 2246), a server's side of it, with ECDHE (RFC 8422)."""

from __future__ import annotations

import hmac
import os

from pkigen.serve.tls import cipher_suites, groups, key_schedule
from pkigen.serve.tls.alerts import Alert, Description
from pkigen.serve.tls.cipher_suites import Suite
from pkigen.serve.tls.client_hello import (
    ALPN,
    EXTENDED_MASTER_SECRET,
    POINT_FORMATS,
    RENEGOTIATION,
    SERVER_NAME,
    STATUS_REQUEST,
    TLS_1_0,
    TLS_1_2,
    ClientHello,
)
from pkigen.serve.tls.codec import Reader, extension, number, vector
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.protection import CHANGE_CIPHER_SPEC, Plain
from pkigen.serve.tls.records import Waiting, Wire

_SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE, _DONE = 2, 11, 12, 14
_CLIENT_KEY_EXCHANGE, _FINISHED, _CERTIFICATE_STATUS = 16, 20, 22
_NAMED_CURVE, _OCSP = b"\x03", b"\x01"
_MASTER_OCTETS = 48
_KNOWS_MODERN = b"DOWNGRD\x01"
"""How the random of a TLS 1.2 server ends that knows TLS 1.3 as well (RFC 8446, 4.1.3)."""


def handshake(
    wire: Wire, hello: ClientHello, credential: Credential, protocol: bytes, version: int
) -> Waiting[None]:
    """From the ClientHello, which is in the transcript, to this side's Finished.

    After it, ``wire`` reads and writes application data.
    """
    wire.writes = Plain(version)
    code, suite = _suite(hello, credential, version)
    digest = "md5sha1" if version == TLS_1_0 else suite.digest
    random = os.urandom(32)
    if version == TLS_1_2:
        random = random[: -len(_KNOWS_MODERN)] + _KNOWS_MODERN
    stapled = bool(credential.staple and credential.certificates and hello.wants_staple)
    extensions = _extensions(hello, protocol, stapled=stapled)
    body = number(version, 2) + random + vector(b"", 1) + number(code, 2) + b"\0"
    wire.send_message(_SERVER_HELLO, body + (vector(extensions, 2) if extensions else b""))
    certificates = b"".join(vector(one, 3) for one in credential.certificates)
    wire.send_message(_CERTIFICATE, vector(certificates, 3))
    if stapled:
        wire.send_message(_CERTIFICATE_STATUS, _OCSP + vector(credential.staple or b"", 3))
    share = groups.share(_group(hello))
    _key_exchange(wire, hello, credential, random, share, version)
    wire.send_message(_DONE, b"")
    reader = Reader((yield from wire.message(_CLIENT_KEY_EXCHANGE)))
    premaster = share.secret(reader.vector(1))
    reader.end()
    master = _master(digest, premaster, hello, random, wire.transcript)
    reads, writes = cipher_suites.older(suite, version, digest, master, random + hello.random)
    yield from wire.change_cipher_spec()
    wire.reads = reads
    expected = _verify_data(digest, master, b"client finished", wire.transcript)
    finished = yield from wire.message(_FINISHED)
    if not hmac.compare_digest(finished, expected):
        raise Alert(Description.DECRYPT_ERROR)
    wire.send(CHANGE_CIPHER_SPEC, b"\x01")
    wire.writes = writes
    wire.send_message(_FINISHED, _verify_data(digest, master, b"server finished", wire.transcript))


def _suite(hello: ClientHello, credential: Credential, version: int) -> tuple[int, Suite]:
    """The client's first choice among those for the key; TLS 1.0 has CBC alone."""
    known = cipher_suites.ECDHE_RSA if credential.prover.rsa else cipher_suites.ECDHE_ECDSA
    for code in hello.suites:
        if code in known and (version == TLS_1_2 or known[code].aead is None):
            return code, known[code]
    raise Alert(Description.HANDSHAKE_FAILURE)


def _group(hello: ClientHello) -> int:
    """The client's first choice; P-256 for one that says nothing (RFC 8422, 4)."""
    offered = hello.groups or (groups.P256,)
    found = next((one for one in offered if one in groups.GROUPS), None)
    if found is None:
        raise Alert(Description.HANDSHAKE_FAILURE)
    return found


def _extensions(hello: ClientHello, protocol: bytes, *, stapled: bool) -> bytes:
    """Answers to what the client asked; no others may be sent."""
    found = extension(RENEGOTIATION, vector(b"", 1)) if hello.knows_renegotiation else b""
    if hello.name is not None:
        found += extension(SERVER_NAME)
    if POINT_FORMATS in hello.extensions:
        found += extension(POINT_FORMATS, vector(b"\0", 1))
    if EXTENDED_MASTER_SECRET in hello.extensions:
        found += extension(EXTENDED_MASTER_SECRET)
    if stapled:
        found += extension(STATUS_REQUEST)
    if protocol:
        found += extension(ALPN, vector(vector(protocol, 1), 2))
    return found


def _key_exchange(
    wire: Wire,
    hello: ClientHello,
    credential: Credential,
    random: bytes,
    share: groups.Share,
    version: int,
) -> None:
    """ServerKeyExchange: this side's share, signed with the certificate's key."""
    parameters = _NAMED_CURVE + number(share.group, 2) + vector(share.public, 1)
    content = hello.random + random + parameters
    if version == TLS_1_0:
        signed = vector(credential.prover.prove_to_old(content), 2)
    else:
        scheme, signature = credential.prover.prove(content, hello.schemes, modern=False)
        signed = number(scheme, 2) + vector(signature, 2)
    wire.send_message(_SERVER_KEY_EXCHANGE, parameters + signed)


def _master(digest: str, premaster: bytes, hello: ClientHello, random: bytes, transcript: bytes) -> bytes:
    """The master secret; bound to the handshake when the client knows RFC 7627."""
    if EXTENDED_MASTER_SECRET in hello.extensions:
        seed = key_schedule.transcript_hash(digest, transcript)
        return key_schedule.prf(digest, premaster, b"extended master secret", seed, _MASTER_OCTETS)
    return key_schedule.prf(digest, premaster, b"master secret", hello.random + random, _MASTER_OCTETS)


def _verify_data(digest: str, master: bytes, label: bytes, transcript: bytes) -> bytes:
    seed = key_schedule.transcript_hash(digest, transcript)
    return key_schedule.prf(digest, master, label, seed, key_schedule.VERIFY_OCTETS)
