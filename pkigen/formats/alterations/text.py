"""Alterations of PEM (RFC 7468) text, incorrect or only unusual: bytes of a file -> other bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from pkigen.formats import pem

_END = re.compile(rb"^-----END .*\n?", re.MULTILINE)
_LABEL = re.compile(rb"^-----(BEGIN|END) ([^-]+)-----$", re.MULTILINE)
_ERROR_PAGE = b"""<!DOCTYPE html>
<html>
<head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The requested file was not found on this server.</p></body>
</html>
"""
_MISSING_CHARACTERS = 9
_COMMENT = b"# The certificate authority above\n"
_BAG_ATTRIBUTES = b"Bag Attributes\n    friendlyName: %s\n"


def _indented(text: bytes, _argument: str) -> bytes:
    return b"".join(b"    " + line for line in text.splitlines(keepends=True))


def _on_one_line(text: bytes, _argument: str) -> bytes:
    """Write the base64 of every block on one line."""
    lines = re.split(rb"(-----(?:BEGIN|END) .*-----\n)", text)
    return b"".join(part if part.startswith(b"-----") else _joined(part) for part in lines)


def _joined(base64: bytes) -> bytes:
    line = base64.replace(b"\n", b"")
    return line + b"\n" if line else b""


def _with_header(text: bytes, argument: str) -> bytes:
    """Add an RFC 1421 header and an empty line to every block."""
    return re.sub(rb"^(-----BEGIN .*-----\n)", rb"\1%s\n\n" % argument.encode(), text, flags=re.MULTILINE)


def _labeled(text: bytes, argument: str) -> bytes:
    return _LABEL.sub(rb"-----\1 %s-----" % argument.encode(), text)


def _with_end_label(text: bytes, argument: str) -> bytes:
    return _END.sub(b"-----END %s-----\n" % argument.encode(), text)


def _with_byte(byte: bytes) -> Callable[[bytes, str], bytes]:
    """Return an alteration that puts a byte that is not base64 into the first block."""

    def change(text: bytes, _argument: str) -> bytes:
        return with_invalid_byte(text, byte)

    return change


def with_invalid_byte(text: bytes, byte: bytes) -> bytes:
    """Replace the byte in the middle of the first block."""
    start = text.index(b"\n") + 1
    middle = (start + text.index(b"-----END ")) // 2
    if text[middle : middle + 1] == b"\n":
        middle += 1
    return text[:middle] + byte + text[middle + 1 :]


def _with_short_base64(text: bytes, _argument: str) -> bytes:
    """Remove the last characters of the first block, so that their number is not a multiple of 4."""
    body, end, rest = text.partition(b"\n-----END ")
    return body[:-_MISSING_CHARACTERS] + end + rest


def _commented(text: bytes, _argument: str) -> bytes:
    return _END.sub(lambda match: match[0] + _COMMENT, text)


def _bag_attributes(text: bytes, argument: str) -> bytes:
    """Add bag attributes as ``openssl pkcs12`` does."""
    before = _BAG_ATTRIBUTES % argument.encode()
    return b"".join(before + pem.encode(block.label, block.data) for block in pem.blocks(text))


TEXT_ALTERATIONS: dict[str, Callable[[bytes, str], bytes]] = {
    "crlf": lambda text, _: text.replace(b"\n", b"\r\n"),
    "cr": lambda text, _: text.replace(b"\n", b"\r"),
    "byte-order-mark": lambda text, _: codecs.BOM_UTF8 + text,
    "utf-16": lambda text, _: codecs.BOM_UTF16_LE + text.decode("ascii").encode("utf-16-le"),
    "bag-attributes": _bag_attributes,
    "comment": _commented,
    "indented": _indented,
    "blocks-joined": lambda text, _: text.replace(b"-----\n-----", b"----------"),
    "one-line": _on_one_line,
    "header": _with_header,
    "label": _labeled,
    "end-label": _with_end_label,
    "no-end": lambda text, _: _END.sub(b"", text),
    "bad-base64": _with_byte(b"!"),
    "nul": _with_byte(b"\0"),
    "cut": lambda text, _: text[: len(text) // 2],
    "short-base64": _with_short_base64,
    "trailing-spaces": lambda text, _: text.replace(b"\n", b"  \n"),
    "no-final-newline": lambda text, _: text.rstrip(b"\n"),
    "html": lambda _text, _: _ERROR_PAGE,
    "empty": lambda _text, _: b"",
}
"""Functions from the correct contents of a file and the alteration's argument to the altered contents."""
