"""What a client says first (ClientHello; RFC 8446, 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkigen.serve.tls.alerts import Alert, Description
from pkigen.serve.tls.codec import Reader

SERVER_NAME, STATUS_REQUEST, GROUPS, POINT_FORMATS, SCHEMES, ALPN = 0, 5, 10, 11, 13, 16
EXTENDED_MASTER_SECRET, VERSIONS, KEY_SHARE, RENEGOTIATION = 23, 43, 51, 0xFF01
TLS_1_0, TLS_1_2, TLS_1_3 = 0x0301, 0x0303, 0x0304
_RENEGOTIATION_SIGNAL = 0x00FF
_HOST_NAME, _OCSP = 0, 1


@dataclass(frozen=True)
class ClientHello:
    """A ClientHello, its extensions read as far as they matter here.

    ``version`` is legacy_version; ``versions`` those of the extension, empty without one. ``shares`` maps
    groups to key shares. ``name`` is the host name asked for, in small letters, None when there is none.
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
    wants_staple: bool

    @property
    def knows_renegotiation(self) -> bool:
        """Whether it wants RFC 5746 answered: some end the handshake when it is not."""
        return RENEGOTIATION in self.extensions or _RENEGOTIATION_SIGNAL in self.suites


def client_hello(body: bytes) -> ClientHello:
    """A ClientHello out of the body of its message; raises Alert for what is none."""
    reader = Reader(body)
    version, random = reader.number(2), reader.take(32)
    session_id, suites, compressions = reader.vector(1), reader.numbers(2), reader.vector(1)
    if len(session_id) > 32 or 0 not in compressions:
        raise Alert(Description.ILLEGAL_PARAMETER)
    found = _extensions(reader)
    return ClientHello(
        version,
        random,
        session_id,
        suites,
        frozenset(found),
        _name(found.get(SERVER_NAME)),
        _list(found.get(VERSIONS), 1),
        _list(found.get(GROUPS), 2),
        _list(found.get(SCHEMES), 2),
        _shares(found.get(KEY_SHARE)),
        _protocols(found.get(ALPN)),
        found.get(STATUS_REQUEST, b"")[:1] == bytes((_OCSP,)),
    )


def _extensions(reader: Reader) -> dict[int, bytes]:
    """By their numbers; clients of TLS 1.2 and before may leave the whole list out."""
    found = dict[int, bytes]()
    if not reader.left:
        return found
    inside = Reader(reader.vector(2))
    reader.end()
    while inside.left:
        code, data = inside.number(2), inside.vector(2)
        if code in found:
            raise Alert(Description.ILLEGAL_PARAMETER)
        found[code] = data
    return found


def _list(data: bytes | None, size: int) -> tuple[int, ...]:
    return () if data is None else Reader(data).numbers(size)


def _name(data: bytes | None) -> str | None:
    """The host name (RFC 6066, 3): ASCII, without the dot of the DNS root."""
    if data is None:
        return None
    names = Reader(Reader(data).vector(2))
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            return name.decode("ascii", "backslashreplace").lower().removesuffix(".")
    return None


def _shares(data: bytes | None) -> dict[int, bytes]:
    found = dict[int, bytes]()
    if data is not None:
        entries = Reader(Reader(data).vector(2))
        while entries.left:
            group = entries.number(2)
            found[group] = entries.vector(2)
    return found


def _protocols(data: bytes | None) -> tuple[bytes, ...]:
    found = list[bytes]()
    if data is not None:
        entries = Reader(Reader(data).vector(2))
        while entries.left:
            found.append(entries.vector(1))
    return tuple(found)
