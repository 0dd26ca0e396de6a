"""Parses the ClientHello (RFC 8446, 4.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pkigen.serve.tls.codec import Alert, AlertDescription, Reader

SERVER_NAME, STATUS_REQUEST, GROUPS, POINT_FORMATS, SCHEMES, ALPN = 0, 5, 10, 11, 13, 16
EXTENDED_MASTER_SECRET, PRE_SHARED_KEY, EARLY_DATA, VERSIONS, KEY_SHARE = 23, 41, 42, 43, 51
RENEGOTIATION = 0xFF01
TLS_1_0, TLS_1_2, TLS_1_3 = 0x0301, 0x0303, 0x0304
FALLBACK_SIGNAL = 0x5600
"""Cipher suite of clients that retry with a lower version (RFC 7507)."""
_RENEGOTIATION_SIGNAL = 0x00FF
_HOST_NAME, _OCSP, _UNCOMPRESSED = 0, 1, 0
_NO_COMPRESSION = b"\0"
_PRINTABLE = re.compile(rb"[!-~]+")


@dataclass(frozen=True)
class ClientHello:
    """A ClientHello; ``extensions`` are in the client's order, and those that this server uses are parsed.

    ``version`` is legacy_version; ``versions`` are those of the extension, empty without it. ``shares`` maps
    groups to key shares. ``name`` is the requested host name in lower case, None without SNI.
    """

    version: int
    random: bytes = field(repr=False)
    session_id: bytes = field(repr=False)
    suites: tuple[int, ...]
    extensions: dict[int, bytes] = field(repr=False)
    name: str | None
    versions: tuple[int, ...]
    groups: tuple[int, ...]
    schemes: tuple[int, ...]
    shares: dict[int, bytes] = field(repr=False)
    protocols: tuple[bytes, ...]
    requests_staple: bool

    @property
    def knows_renegotiation(self) -> bool:
        """Whether the client supports RFC 5746; some clients abort if the server ignores it."""
        return RENEGOTIATION in self.extensions or _RENEGOTIATION_SIGNAL in self.suites


def client_hello(body: bytes) -> ClientHello:
    """Parse the body of a ClientHello message; raises Alert if it is malformed."""
    reader = Reader(body)
    version, random = reader.number(2), reader.take(32)
    session_id, suites, compressions = reader.vector(1), reader.numbers(2), reader.vector(1)
    if len(session_id) > 32 or not compressions:
        raise Alert(AlertDescription.DECODE_ERROR)
    extensions = _extensions(reader)
    versions = _list(extensions.get(VERSIONS), 1)
    if 0 not in compressions or (TLS_1_3 in versions and compressions != _NO_COMPRESSION):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER)
    if TLS_1_3 not in versions:
        _check_point_formats(extensions.get(POINT_FORMATS))
    if extensions.get(EXTENDED_MASTER_SECRET):
        raise Alert(AlertDescription.DECODE_ERROR)
    if extensions.get(RENEGOTIATION, b"\0") != b"\0":
        # The first handshake of a connection cannot renegotiate (RFC 5746, 3.6).
        raise Alert(AlertDescription.HANDSHAKE_FAILURE)
    return ClientHello(
        version,
        random,
        session_id,
        suites,
        extensions,
        _name(extensions.get(SERVER_NAME)),
        versions,
        _list(extensions.get(GROUPS), 2),
        _list(extensions.get(SCHEMES), 2),
        _shares(extensions.get(KEY_SHARE)),
        _protocols(extensions.get(ALPN)),
        extensions.get(STATUS_REQUEST, b"")[:1] == bytes((_OCSP,)),
    )


def _extensions(reader: Reader) -> dict[int, bytes]:
    """Return the extensions by number; clients of TLS 1.2 and earlier may omit the list."""
    extensions = dict[int, bytes]()
    if not reader.left:
        return extensions
    inside = reader.entries(2)
    while inside.left:
        code, data = inside.number(2), inside.vector(2)
        # The binders of pre_shared_key cover all that precedes it (RFC 8446, 4.2.11).
        if code in extensions or (code == PRE_SHARED_KEY and inside.left):
            raise Alert(AlertDescription.ILLEGAL_PARAMETER)
        extensions[code] = data
    return extensions


def _list(data: bytes | None, size: int) -> tuple[int, ...]:
    if data is None:
        return ()
    reader = Reader(data)
    numbers = reader.numbers(size)
    reader.end()
    return numbers


def _check_point_formats(data: bytes | None) -> None:
    """Every client supports uncompressed points (RFC 8422, 5.1.2); TLS 1.3 does not use the extension."""
    if data is not None:
        reader = Reader(data)
        formats = reader.vector(1)
        reader.end()
        if not formats:
            raise Alert(AlertDescription.DECODE_ERROR)
        if _UNCOMPRESSED not in formats:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER)


def _name(data: bytes | None) -> str | None:
    """Return the host name (RFC 6066, 3) in ASCII, without a trailing dot."""
    if data is None:
        return None
    names = dict[int, bytes]()
    entries = Reader(data).entries(2)
    while entries.left:
        kind, name = entries.number(1), entries.vector(2)
        if kind in names:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER)
        if not name:
            raise Alert(AlertDescription.DECODE_ERROR)
        names[kind] = name
    if not names:
        raise Alert(AlertDescription.DECODE_ERROR)
    host = names.get(_HOST_NAME)
    if host is None:
        return None
    if not _PRINTABLE.fullmatch(host):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER)
    return host.decode("ascii").lower().removesuffix(".")


def _shares(data: bytes | None) -> dict[int, bytes]:
    shares = dict[int, bytes]()
    if data is not None:
        entries = Reader(data).entries(2)
        while entries.left:
            group = entries.number(2)
            if group in shares:
                raise Alert(AlertDescription.ILLEGAL_PARAMETER)
            shares[group] = entries.vector(2)
    return shares


def _protocols(data: bytes | None) -> tuple[bytes, ...]:
    protocols = list[bytes]()
    if data is not None:
        entries = Reader(data).entries(2)
        while entries.left:
            protocols.append(entries.vector(1))
        if not all(protocols) or not protocols:
            raise Alert(AlertDescription.DECODE_ERROR)
    return tuple(protocols)
