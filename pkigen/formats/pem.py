"""PEM (RFC 7468), strict in what is written and lenient in what is read."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

CERTIFICATE, CRL = "CERTIFICATE", "X509 CRL"

_BLOCK = re.compile(
    rb"-----BEGIN ([^\r\n-][^\r\n]*?)-----[ \t]*\r?\n?(.*?)-----END ([^\r\n]*?)-----", re.DOTALL
)
_LINE = 64


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label, its octets, its RFC 1421 headers if it has any."""

    label: str
    data: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()


def encode(label: str, data: bytes, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """One block with lines of 64 characters, ended by a line feed."""
    text = binascii.b2a_base64(data, newline=False)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    top = f"-----BEGIN {label}-----\n{head}" + ("\n" if head else "")
    return b"".join((top.encode(), b"\n".join(lines), f"\n-----END {label}-----\n".encode()))


@lru_cache(maxsize=512)
def certificate(der: bytes) -> bytes:
    """A certificate as PEM; those of authorities are asked for again and again."""
    return encode(CERTIFICATE, der)


def blocks(text: bytes) -> Iterator[Block]:
    """Every block in a file, whatever stands around them; ValueError for one that is damaged."""
    for match in _BLOCK.finditer(text):
        begin, body, end = match.groups()
        label = begin.decode("ascii", "replace")
        if begin != end:
            raise ValueError(f"BEGIN {label} is closed by END {end.decode('ascii', 'replace')}")
        headers, base64 = _split(body)
        try:
            data = binascii.a2b_base64(b"".join(base64.split()), strict_mode=True)
        except binascii.Error as error:
            raise ValueError(f"the {label} block is not base64: {error}") from error
        yield Block(label, data, headers)


def _split(body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and base64 of a block's inside."""
    head, empty, rest = body.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not empty or b":" not in head:
        return (), body
    lines = head.decode("ascii", "replace").strip().splitlines()
    pairs = (line.partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, _, value in pairs), rest
