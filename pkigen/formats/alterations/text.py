"""Ways to write PEM (RFC 7468) wrong, or just otherwise: octets of a file -> other octets."""

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
_COMMENT = b"# The certificate authority above\n"
_BAG_ATTRIBUTES = b"Bag Attributes\n    friendlyName: %s\n"


def _indented(text: bytes, _argument: str) -> bytes:
    return b"".join(b"    " + line for line in text.splitlines(keepends=True))


def _on_one_line(text: bytes, _argument: str) -> bytes:
    """Every block's base64 without a line feed."""
    lines = re.split(rb"(-----(?:BEGIN|END) .*-----\n)", text)
    return b"".join(part if part.startswith(b"-----") else _joined(part) for part in lines)


def _joined(base64: bytes) -> bytes:
    found = base64.replace(b"\n", b"")
    return found + b"\n" if found else b""


def _with_header(text: bytes, argument: str) -> bytes:
    """An RFC 1421 header in every block, and the empty line after it."""
    return re.sub(rb"^(-----BEGIN .*-----\n)", rb"\1%s\n\n" % argument.encode(), text, flags=re.MULTILINE)


def _labelled(text: bytes, argument: str) -> bytes:
    return _LABEL.sub(rb"-----\1 %s-----" % argument.encode(), text)


def _ended_otherwise(text: bytes, argument: str) -> bytes:
    return _END.sub(b"-----END %s-----\n" % argument.encode(), text)


def _with_octet(octet: bytes) -> Callable[[bytes, str], bytes]:
    """Something that is no base64, in the place of a character in the middle of the first block."""

    def change(text: bytes, _argument: str) -> bytes:
        return with_invalid_byte(text, octet)

    return change


def with_invalid_byte(text: bytes, octet: bytes) -> bytes:
    """One octet in the place of the one in the middle of the first block."""
    start = text.index(b"\n") + 1
    middle = (start + text.index(b"-----END ")) // 2
    if text[middle : middle + 1] == b"\n":
        middle += 1
    return text[:middle] + octet + text[middle + 1 :]


def _commented(text: bytes, _argument: str) -> bytes:
    return _END.sub(lambda found: found[0] + _COMMENT, text)


def _bag_attributes(text: bytes, argument: str) -> bytes:
    """As ``openssl pkcs12`` writes them."""
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
    "label": _labelled,
    "end-label": _ended_otherwise,
    "no-end": lambda text, _: _END.sub(b"", text),
    "bad-base64": _with_octet(b"!"),
    "nul": _with_octet(b"\0"),
    "cut": lambda text, _: text[: len(text) // 2],
    "html": lambda _text, _: _ERROR_PAGE,
    "empty": lambda _text, _: b"",
}
"""Each takes a file as it is written, and the alteration's argument."""
