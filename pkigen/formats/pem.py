"""Reads and writes PEM (RFC 7468): writes it strictly, and reads it leniently."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

CERTIFICATE, CRL = "CERTIFICATE", "X509 CRL"

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_LINE = 64
_LONGEST_LABEL = 200
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label, data and RFC 1421 headers, and the text before it.

    ``problem`` describes a damaged block, whose data is empty; ``repaired`` is set if text between the
    base64 was ignored.
    """

    label: str
    data: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    before: bytes = field(default=b"", repr=False)
    problem: str = ""
    repaired: bool = False


def encode(label: str, data: bytes, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return one block, with lines of 64 characters and a final line feed."""
    text = binascii.b2a_base64(data, newline=False)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    top = f"-----BEGIN {label}-----\n{head}" + ("\n" if head else "")
    return b"".join((top.encode(), b"\n".join(lines), f"\n-----END {label}-----\n".encode()))


@lru_cache(maxsize=512)
def certificate(der: bytes) -> bytes:
    """Return a certificate as PEM; cached, since every chain contains those of the authorities."""
    return encode(CERTIFICATE, der)


def blocks(text: bytes) -> Iterator[Block]:
    """Return every block in a file, with any text around them; ValueError for a damaged block."""
    for block in scan(text):
        if block.problem:
            raise ValueError(block.problem)
        yield block


def scan(text: bytes, repair: Callable[[bytes], bytes] | None = None) -> Iterator[Block]:
    """Return every block in a file, including damaged ones, in time linear in the file's size.

    ``repair`` changes the body of a block that is not base64, before a second attempt.
    """
    position, end = 0, 0
    while (begin := text.find(_BEGIN, position)) >= 0:
        before, head = text[position:begin], begin + len(_BEGIN)
        label_end = text.find(_DASHES, head, head + _LONGEST_LABEL)
        if label_end < 0 or b"\n" in text[head:label_end]:
            yield Block("", b"", (), before, "a BEGIN line is not closed by dashes")
            position = head
            continue
        label = text[head:label_end].decode("ascii", "replace")
        start = label_end + len(_DASHES)
        another = text.find(_BEGIN, start)
        if 0 <= end < start:  # otherwise the END line from an earlier search is still ahead, or there is none
            end = text.find(_END, start)
        if end < 0 or 0 <= another < end:
            yield Block(label, b"", (), before, f"BEGIN {label} is not followed by an END line")
            if another < 0:
                return
            position = another
            continue
        closing = text.find(_DASHES, end + len(_END))
        if closing < 0:
            yield Block(label, b"", (), before, f"the END line after BEGIN {label} is cut off")
            return
        block = _block(label, text[start:end], text[end + len(_END) : closing], before)
        if block.problem and repair is not None:
            second = _block(label, repair(text[start:end]), text[end + len(_END) : closing], before)
            block = block if second.problem else replace(second, repaired=True)
        yield block
        position = closing + len(_DASHES)


def _block(label: str, body: bytes, end: bytes, before: bytes) -> Block:
    if end.decode("ascii", "replace") != label:
        label_at_end = end[:80].decode("ascii", "replace")
        return Block(label, b"", (), before, f"BEGIN {label} is closed by END {label_at_end}")
    headers, base64 = _split(body)
    characters = b"".join(base64.split())
    try:
        data = binascii.a2b_base64(characters, strict_mode=True)
    except binascii.Error:
        return Block(label, b"", headers, before, _base64_problem(label, characters))
    return Block(label, data, headers, before)


def _base64_problem(label: str, characters: bytes) -> str:
    invalid = _NOT_BASE64.search(characters)
    if invalid is not None:
        character = invalid[0].decode("latin-1").encode("unicode_escape").decode()
        return f"the {label} block is not base64: it contains the character '{character}'"
    return f"the {label} block is not base64: it is cut off, or has characters after its padding"


def _split(body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return headers and base64 of a block's body."""
    head, empty, rest = body.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not empty or b":" not in head:
        return (), body
    lines = head.decode("ascii", "replace").strip().splitlines()
    pairs = (line.partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, _, value in pairs), rest
