"""A small DNS server for TXT records that programs set, and a client for those of another server.

Only what dns-01 needs (RFC 1035): one question per message over UDP.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread

from pkigen.enrolment.state import State
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.os_errors import os_error_reason

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_TXT, _SOA, _ANY, _IN = 16, 6, 255, 1
_RESPONSE, _AUTHORITATIVE, _RECURSION_DESIRED = 0x8000, 0x0400, 0x0100
_NO_ERROR, _FORMAT_ERROR, _NO_NAME, _NOT_IMPLEMENTED = 0, 1, 3, 4
_LARGEST = 4096
_MOST_JUMPS = 20

Records = Callable[[str], Sequence[str]]
"""Returns the TXT records of a name (in lower case, without a final dot)."""


_KIND = "dns-txt"
_MOST_NAMES = 10_000
_MOST_VALUES = 20
_LONGEST_VALUE = 1000


class TxtRecords:
    """The TXT records that programs set, by name."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, name: str) -> list[str]:
        """Return the records of a name (in lower case, without a final dot)."""
        data = self._state.get(_KIND, name)
        return [] if data is None else list(data["values"])

    def add(self, name: str, value: str) -> None:
        """Add a record; InputError if there are too many."""
        if not 0 < len(value) <= _LONGEST_VALUE:
            raise InputError(f"'value' must have 1 to {_LONGEST_VALUE} characters")
        with self._state.transaction():
            values = list(dict.fromkeys((*self.get(name), value)))
            if len(values) > _MOST_VALUES or self._state.count(_KIND) >= _MOST_NAMES:
                text = f"at most {_MOST_NAMES} names have up to {_MOST_VALUES} TXT records; delete some"
                raise InputError(text)
            self._state.put(_KIND, name, {"values": values})

    def clear(self, name: str) -> None:
        """Delete the records of a name."""
        self._state.delete(_KIND, name)


@contextmanager
def dns_server(records: Records, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Answer TXT queries on a UDP port for the duration of the block; yields the port.

    Raises EnvironmentFailure if it cannot listen.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        try:
            server.bind((host, port))
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot listen on {host} UDP port {port}: {os_error_reason(error)}"
            ) from error
        bound = int(server.getsockname()[1])
        thread = Thread(target=_serve, args=(server, records), name="pkigen-dns", daemon=True)
        thread.start()
        try:
            yield bound
        finally:
            # An empty datagram from the server's own address ends the thread.
            with suppress(OSError):
                server.sendto(b"", server.getsockname())
            thread.join(2)


def _serve(server: socket.socket, records: Records) -> None:
    own = server.getsockname()
    while True:
        try:
            data, client = server.recvfrom(_LARGEST)
            if not data and client == own:
                return
            if (answer := respond(data, records)) is not None:
                server.sendto(answer, client)
        except OSError:
            if server.fileno() < 0:
                return


def respond(data: bytes, records: Records) -> bytes | None:
    """Return the response to a DNS message; None for one that gets none."""
    if len(data) < _HEADER.size:
        return None
    message_id, flags, questions, *_ = _HEADER.unpack_from(data)
    if flags & _RESPONSE:
        return None
    head = _RESPONSE | _AUTHORITATIVE | (flags & 0x7800) | (flags & _RECURSION_DESIRED)
    try:
        if questions != 1:
            raise ValueError("one question is expected")
        name, end = _read_name(data, _HEADER.size)
        kind, group = struct.unpack_from("!HH", data, end)
    except (ValueError, struct.error):
        return _HEADER.pack(message_id, head | _FORMAT_ERROR, 0, 0, 0, 0)
    question = data[_HEADER.size : end + 4]
    if flags & 0x7800 or group not in (_IN, _ANY):
        return _HEADER.pack(message_id, head | _NOT_IMPLEMENTED, 1, 0, 0, 0) + question
    texts = records(name.lower().rstrip("."))[:20]
    if kind == _SOA:
        # Clients that look for the zone of a name: every name is the apex of one.
        soa = b"\0\0" + struct.pack("!IIIII", 1, 60, 60, 60, 1)
        answers = [b"\xc0\x0c" + _RECORD.pack(_SOA, _IN, 1, len(soa)) + soa]
    elif kind in (_TXT, _ANY):
        answers = [_txt(text.encode("utf-8")[:1000]) for text in texts]
    else:
        answers = []
    code = _NO_ERROR if texts or kind == _SOA else _NO_NAME
    return _HEADER.pack(message_id, head | code, 1, len(answers), 0, 0) + question + b"".join(answers)


def _txt(text: bytes) -> bytes:
    parts = [text[start : start + 255] for start in range(0, len(text), 255)] or [b""]
    value = b"".join(bytes([len(part)]) + part for part in parts)
    return b"\xc0\x0c" + _RECORD.pack(_TXT, _IN, 1, len(value)) + value


def query_txt(server: str, name: str, timeout: float) -> list[str]:
    """Return the TXT records of a name at a DNS server (HOST:PORT), in seconds up to ``timeout``.

    Raises OSError if the server does not respond, ValueError for an invalid response or an error code,
    InputError for an invalid address.
    """
    host, _, port = server.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise InputError(f"'{server}' is not HOST:PORT of a DNS server, such as 127.0.0.1:53")
    message_id = secrets.randbelow(1 << 16)
    question = _write_name(name) + struct.pack("!HH", _TXT, _IN)
    query = _HEADER.pack(message_id, _RECURSION_DESIRED, 1, 0, 0, 0) + question
    family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    deadline = time.monotonic() + timeout
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect(address)
        for attempt in (1, 2):
            client.send(query)
            with suppress(TimeoutError):
                while (left := deadline - time.monotonic() - (2 - attempt) * timeout / 2) > 0:
                    client.settimeout(left)
                    data = client.recv(_LARGEST)
                    if data[:2] == message_id.to_bytes(2):
                        return _texts(data, question)
    raise TimeoutError("no response")


def _texts(data: bytes, question: bytes) -> list[str]:
    if len(data) < _HEADER.size:
        raise ValueError("the response is truncated")
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if flags & 0xF == _NO_NAME:
        return []
    if flags & 0xF or not flags & _RESPONSE:
        raise ValueError(f"the server returned the error code {flags & 0xF}")
    texts = list[str]()
    try:
        position = _HEADER.size
        for _ in range(questions):
            position = _read_name(data, position)[1] + 4
        if data[_HEADER.size : position].lower() != question.lower():
            raise ValueError("the response is to another question")
        for _ in range(answers):
            position = _read_name(data, position)[1]
            kind, _, _, length = _RECORD.unpack_from(data, position)
            position += _RECORD.size
            value = data[position : position + length]
            if kind == _TXT:
                texts.append(_joined(value))
            position += length
    except (struct.error, IndexError) as error:
        raise ValueError("the response is truncated") from error
    return texts


def _joined(value: bytes) -> str:
    parts, position = list[bytes](), 0
    while position < len(value):
        length = value[position]
        parts.append(value[position + 1 : position + 1 + length])
        position += 1 + length
    return b"".join(parts).decode("utf-8", "replace")


def _write_name(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    if any(not 0 < len(label) < 64 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise ValueError(f"'{name}' is not a DNS name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _read_name(data: bytes, position: int) -> tuple[str, int]:
    """Return the name at a position and the position after it; ValueError if it is invalid."""
    labels, end, jumps = list[str](), -1, 0
    while True:
        if position >= len(data):
            raise ValueError("a name is truncated")
        length = data[position]
        if length >= 0xC0:
            if position + 1 >= len(data) or (jumps := jumps + 1) > _MOST_JUMPS:
                raise ValueError("a name is invalid")
            end = position + 2 if end < 0 else end
            position = (length & 0x3F) << 8 | data[position + 1]
            continue
        if length > 63:
            raise ValueError("a name is invalid")
        position += 1
        if length == 0:
            return ".".join(labels), position if end < 0 else end
        if position + length > len(data) or len(labels) > 127:
            raise ValueError("a name is truncated")
        labels.append(data[position : position + length].decode("latin-1"))
        position += length
