"""JSON that an interface must accept or refuse, and that nothing behind it may stumble over."""

from __future__ import annotations

from collections.abc import Iterator

_VALUES = {
    "lone high surrogate": rb'"\ud800"',
    "lone low surrogate": rb'"x\udfffx"',
    "surrogates in the wrong order": rb'"\udc00\ud800"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "surrogate in a key": rb'{"\ud800": 1}',
    "surrogate in a list": rb'[["\udbff"]]',
    "NUL": rb'"\u0000"',
    "NUL in a string": rb'"issuing\u0000x"',
    "control characters": rb'"\u001b[31m\r\n\u202e"',
    "noncharacter": rb'"\uffff\udbff\udfff"',
    "1 MB string": b'"' + b"x" * 1_000_000 + b'"',
    "10 KB string": b'"' + b"x" * 10_000 + b'"',
    "nested lists": b"[" * 100_000,
    "nested lists that end": b"[" * 450 + b"]" * 450,
    "nested objects that end": b'{"a":' * 450 + b"1" + b"}" * 450,
    "nested lists in objects": b'[{"a":' * 5_000 + b"1" + b"}]" * 5_000,
    "long number": b"9" * 10_000,
    "infinite number": b"1e999",
    "NaN": b"NaN",
    "-Infinity": b"-Infinity",
    "negative zero": b"-0.0",
    "not UTF-8": b'"\xff"',
    "overlong UTF-8": b'"\xc0\xaf"',
}
NAMES = (*_VALUES, "UTF-16", "byte order mark", "two values", "empty")


def bodies(name: str, template: bytes) -> Iterator[bytes]:
    """Yield bodies: a hostile value in each place ``@`` of a template, and alone."""
    if name in _VALUES:
        value = _VALUES[name]
        yield value
        places = template.count(b"@")
        for place in range(places):
            parts = template.split(b"@")
            fillers = [value if number == place else b'"x"' for number in range(places)]
            yield b"".join(part + filler for part, filler in zip(parts, [*fillers, b""], strict=True))
        return
    text = template.replace(b"@", b'"x"').decode("ascii")
    yield {
        "UTF-16": text.encode("utf-16"),
        "byte order mark": text.encode("utf-8-sig"),
        "two values": text.encode() * 2,
        "empty": b"",
    }[name]
