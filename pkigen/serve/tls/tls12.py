"""The server side of the TLS 1.2 (RFC 5246) and 1.0 (RFC 2246) handshake, with ECDHE (RFC 8422)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pkigen.serve.tls import key_exchange, record_protection
from pkigen.serve.tls.client_hello import (
    ALPN,
    EXTENDED_MASTER_SECRET,
    POINT_FORMATS,
    RENEGOTIATION,
    SERVER_NAME,
    STATUS_REQUEST,
    TLS_1_0,
    TLS_1_2,
    TLS_1_3,
    ClientHello,
)
from pkigen.serve.tls.codec import Alert, AlertDescription, Reader, extension, number, vector
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.handshake_signature import Scheme
from pkigen.serve.tls.record_protection import CHANGE_CIPHER_SPEC, CipherSuite, NoProtection
from pkigen.serve.tls.records import RecordLayer, Waiting

_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE, _DONE = 1, 2, 11, 12, 14
_CLIENT_KEY_EXCHANGE, _FINISHED, _CERTIFICATE_STATUS = 16, 20, 22
_NAMED_CURVE, _OCSP = b"\x03", b"\x01"
_MASTER_BYTES = 48
_DOWNGRADE = b"DOWNGRD\x01"
"""End of the random of a TLS 1.2 ServerHello if the server supports TLS 1.3 (RFC 8446, 4.1.3)."""


@dataclass
class Connection:
    """A connection after the handshake: application data; renegotiation is rejected (RFC 5246, 7.2.2)."""

    records: RecordLayer

    def application_data(self) -> Waiting[bytes]:
        """Return the next application data from the client."""
        return self.records.application_data(self._process_message)

    def _process_message(self, kind: int, _body: bytes) -> None:
        if kind != _CLIENT_HELLO:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        self.records.send_alert(AlertDescription.NO_RENEGOTIATION)


def handshake(
    records: RecordLayer, hello: ClientHello, credential: Credential, protocol: bytes, version: int
) -> Waiting[Connection]:
    """Run the handshake from the ClientHello, which is in the transcript, to the server's Finished."""
    records.read_with(NoProtection())
    records.writes = NoProtection(version)
    code, suite = _suite(hello, credential, version)
    group = _group(hello)
    scheme = None if version == TLS_1_0 else credential.signer.scheme(hello, is_tls13=False)
    digest = "md5sha1" if version == TLS_1_0 else suite.digest
    random = os.urandom(32)
    # A key that TLS 1.3 cannot use makes this a TLS 1.2 server, also for a client that offers TLS 1.3.
    if version == TLS_1_2 and TLS_1_3 not in hello.versions:
        random = random[: -len(_DOWNGRADE)] + _DOWNGRADE
    stapled = bool(credential.staple and credential.certificates and hello.requests_staple)
    extensions = _extensions(hello, protocol, stapled=stapled)
    body = number(version, 2) + random + vector(b"", 1) + number(code, 2) + b"\0"
    records.send_message(_SERVER_HELLO, body + (vector(extensions, 2) if extensions else b""))
    certificates = b"".join(vector(one, 3) for one in credential.certificates)
    records.send_message(_CERTIFICATE, vector(certificates, 3))
    if stapled:
        records.send_message(_CERTIFICATE_STATUS, _OCSP + vector(credential.staple or b"", 3))
    share = key_exchange.new_key_share(group)
    _key_exchange(records, hello, credential, random, share, scheme)
    records.send_message(_DONE, b"")
    reader = Reader((yield from records.message(_CLIENT_KEY_EXCHANGE)))
    client_share = reader.vector(1)
    reader.end()
    if not client_share:
        raise Alert(AlertDescription.DECODE_ERROR)
    premaster = share.secret(client_share)
    master = _master(digest, premaster, hello, random, records.transcript)
    reads, writes = record_protection.tls12_protections(suite, version, digest, master, random + hello.random)
    yield from records.change_cipher_spec()
    records.read_with(reads)
    expected = _verify_data(digest, master, b"client finished", records.transcript)
    finished = yield from records.message(_FINISHED)
    key_exchange.check_verify_data(finished, expected)
    records.send(CHANGE_CIPHER_SPEC, b"\x01")
    records.writes = writes
    records.send_message(_FINISHED, _verify_data(digest, master, b"server finished", records.transcript))
    return Connection(records)


def _suite(hello: ClientHello, credential: Credential, version: int) -> tuple[int, CipherSuite]:
    """Return the client's first suite that fits the key; TLS 1.0 has only CBC."""
    known = record_protection.ECDHE_RSA if credential.signer.rsa else record_protection.ECDHE_ECDSA
    for code in hello.suites:
        if code in known and (version == TLS_1_2 or known[code].aead is None):
            return code, known[code]
    raise Alert(AlertDescription.HANDSHAKE_FAILURE)


def _group(hello: ClientHello) -> int:
    """Return the client's first supported group; P-256 if it lists none (RFC 8422, 4)."""
    offered = hello.groups or (key_exchange.P256,)
    group = next((one for one in offered if one in key_exchange.GROUPS), None)
    if group is None:
        raise Alert(AlertDescription.HANDSHAKE_FAILURE)
    return group


def _extensions(hello: ClientHello, protocol: bytes, *, stapled: bool) -> bytes:
    """Return the extensions of the ServerHello; only those that the client sent are allowed."""
    extensions = extension(RENEGOTIATION, vector(b"", 1)) if hello.knows_renegotiation else b""
    if hello.name is not None:
        extensions += extension(SERVER_NAME)
    if POINT_FORMATS in hello.extensions:
        extensions += extension(POINT_FORMATS, vector(b"\0", 1))
    if EXTENDED_MASTER_SECRET in hello.extensions:
        extensions += extension(EXTENDED_MASTER_SECRET)
    if stapled:
        extensions += extension(STATUS_REQUEST)
    if protocol:
        extensions += extension(ALPN, vector(vector(protocol, 1), 2))
    return extensions


def _key_exchange(
    records: RecordLayer,
    hello: ClientHello,
    credential: Credential,
    random: bytes,
    share: key_exchange.KeyShare,
    scheme: Scheme | None,
) -> None:
    """Send ServerKeyExchange: the key share, signed with the key of the certificate.

    ``scheme`` is None in TLS 1.0.
    """
    parameters = _NAMED_CURVE + number(share.group, 2) + vector(share.public, 1)
    content = hello.random + random + parameters
    signer = credential.signer
    signed = signer.sign_tls10(content) if scheme is None else signer.sign(content, scheme)
    records.send_message(_SERVER_KEY_EXCHANGE, parameters + signed)


def _master(digest: str, premaster: bytes, hello: ClientHello, random: bytes, transcript: bytes) -> bytes:
    """Return the master secret; the extended one if the client supports RFC 7627."""
    if EXTENDED_MASTER_SECRET in hello.extensions:
        seed = key_exchange.transcript_hash(digest, transcript)
        return key_exchange.prf(digest, premaster, b"extended master secret", seed, _MASTER_BYTES)
    return key_exchange.prf(digest, premaster, b"master secret", hello.random + random, _MASTER_BYTES)


def _verify_data(digest: str, master: bytes, label: bytes, transcript: bytes) -> bytes:
    seed = key_exchange.transcript_hash(digest, transcript)
    return key_exchange.prf(digest, master, label, seed, key_exchange.VERIFY_DATA_BYTES)
