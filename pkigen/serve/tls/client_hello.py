"""Parses the ClientHello (RFC 8446, 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkigen.serve.tls.codec import Alert, AlertDescription, Reader

SERVER_NAME, STATUS_REQUEST, GROUPS, POINT_FORMATS, SCHEMES, ALPN = 0, 5, 10, 11, 13, 16
EXTENDED_MASTER_SECRET, VERSIONS, KEY_SHARE, RENEGOTIATION = 23, 43, 51, 0xFF01
TLS_1_0, TLS_1_2, TLS_1_3 = 0x0301, 0x0303, 0x0304
_RENEGOTIATION_SIGNAL = 0x00FF
_HOST_NAME, _OCSP = 0, 1


@dataclass(frozen=True)
class ClientHello:
    """A ClientHello with the extensions that this server uses.

    ``version`` is legacy_version; ``versions`` are those of the extension, empty without it. ``shares`` maps
    groups to key shares. ``name`` is the requested host name in lower case, None without SNI.
    """

    version: int
    random: bytes = field(repr=False)
    session_id: bytes = field(repr=False)
    suites: tuple[int, ...]
    extensions: frozenset[int]
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
    if len(session_id) > 32 or 0 not in compressions:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER)
    extensions = _extensions(reader)
    return ClientHello(
        version,
        random,
        session_id,
        suites,
        frozenset(extensions),
        _name(extensions.get(SERVER_NAME)),
        _list(extensions.get(VERSIONS), 1),
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
    inside = Reader(reader.vector(2))
    reader.end()
    while inside.left:
        code, data = inside.number(2), inside.vector(2)
        if code in extensions:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER)
        extensions[code] = data
    return extensions


def _list(data: bytes | None, size: int) -> tuple[int, ...]:
    return () if data is None else Reader(data).numbers(size)


def _name(data: bytes | None) -> str | None:
    """Return the host name (RFC 6066, 3) in ASCII, without a trailing dot."""
    if data is None:
        return None
    names = Reader(Reader(data).vector(2))
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            return name.decode("ascii", "backslashreplace").lower().removesuffix(".")
    return None


def _shares(data: bytes | None) -> dict[int, bytes]:
    shares = dict[int, bytes]()
    if data is not None:
        entries = Reader(Reader(data).vector(2))
        while entries.left:
            group = entries.number(2)
            shares[group] = entries.vector(2)
    return shares


def _protocols(data: bytes | None) -> tuple[bytes, ...]:
    protocols = list[bytes]()
    if data is not None:
        entries = Reader(Reader(data).vector(2))
        while entries.left:
            protocols.append(entries.vector(1))
    return tuple(protocols)
