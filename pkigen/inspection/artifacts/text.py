"""Finds PEM and base64 in text as editors, mail programs, JSON, XML and environment variables contain it."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

BEGIN = b"-----BEGIN "
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_NO_MARK = {b"-\x00-\x00": "utf-16-le", b"\x00-\x00-": "utf-16-be", b"M\x00I\x00": "utf-16-le"}
_LINE_BREAKS = re.compile(rb"(?<!\\)\\+(?:r\\+n|n|r|u000[aAdD]|x0[aAdD])|&#(?:13|10|x[dDaA]);")
_BLANKS, _QUOTE_MARKS = b" \t", (b'"', b"'")
_LINE_START, _LINE_END = b" \t>|#*\"'`", b" \t\"'`,;\\"
_MARKUP = re.compile(rb"</?[A-Za-z][^<>]*>")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-][A-Za-z0-9+/_=\s-]{62,}")
_MIN_BASE64 = 64
_MAX_RUNS = 20_000


def normalized(data: bytes) -> tuple[bytes, str]:
    """Return PEM text in ASCII, and a note if it was escaped; other data is returned unchanged.

    Decodes UTF-16, line breaks written as a backslash and a letter, and percent-encoding.
    """
    plain = _as_ascii(data)
    if b"-----BEGIN%20" in plain or b"-----BEGIN+" in plain:
        plain = re.sub(rb"(?<=-----BEGIN)\+|(?<=-----END)\+|(?<=[A-Z])\+(?=[A-Z0-9]+-----)", b" ", plain)
        return unquote_to_bytes(plain), "its text is percent-encoded, and was decoded"
    if BEGIN not in plain:
        return data, ""
    if _LINE_BREAKS.search(plain):
        return _LINE_BREAKS.sub(b"\n", plain), "its line breaks are escaped, and were decoded"
    return plain, ""


def unquoted(body: bytes) -> bytes:
    """Return the body of a PEM block without quote marks, markup and indentation around its lines."""
    lines = _MARKUP.sub(b"", body).replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(map(_unquoted_line, lines))


def _unquoted_line(line: bytes) -> bytes:
    """Return a line without quote marks around it, and without the operator that joins string literals."""
    line = line.strip(_BLANKS)
    if line[-1:] in (b"+", b".") and (literal := line[:-1].rstrip(_BLANKS))[-1:] in _QUOTE_MARKS:
        line = literal
    if line[:1] == b"+" and (literal := line[1:].lstrip(_BLANKS))[:1] in _QUOTE_MARKS:
        line = literal
    return line.lstrip(_LINE_START).rstrip(_LINE_END)


def base64_objects(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of each base64 string that begins a DER structure or PEM, in text without PEM."""
    text = _as_ascii(data).removeprefix(b"\xef\xbb\xbf")
    if b"\0" in text[:1000]:
        return
    text = _LINE_BREAKS.sub(b"\n", text)
    for number, match in enumerate(_BASE64.finditer(text.replace(b"\r\n", b"\n"))):
        if number == _MAX_RUNS:
            return
        for run in _runs(match[0]):
            if (decoded := _decoded(run)) and decoded[:1] in (b"\x30", b"-", b"\xfe"):
                yield decoded


def _runs(text: bytes) -> Iterator[bytes]:
    """Yield the strings of a match: blank lines, and padding, end a string."""
    for paragraph in re.split(rb"\n[ \t]*\n", text):
        joined = b"".join(paragraph.split())
        for run in re.findall(rb"[^=]+={0,2}", joined):
            if len(run) >= _MIN_BASE64:
                yield run


def _decoded(run: bytes) -> bytes:
    run = run.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return binascii.a2b_base64(run + b"=" * (-len(run) % 4), strict_mode=True)
    except binascii.Error:
        return b""


def _as_ascii(data: bytes) -> bytes:
    """Return UTF-16 text, which editors and shells of Windows write, as ASCII."""
    codec = _BYTE_ORDER_MARKS.get(data[:2])
    if codec is not None:
        return data[2:].decode(codec, "replace").encode("ascii", "replace")
    codec = _NO_MARK.get(data[:4])
    return data if codec is None else data.decode(codec, "replace").encode("ascii", "replace")
