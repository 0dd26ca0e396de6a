"""Values of other tools and notations, written as the profile language writes them, for messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network

from pkigen.clock import parse_span

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/-]{0,63}")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*")
_DATE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(T[0-9:]{5,8}Z?)?")
_PREFIX = re.compile(r"(dns|ip|ip address|uri|url|email|rid|upn)\s*[:=]\s*([!-~]+)", re.IGNORECASE)
_LONGEST, _MOST_VALUES = 100, 4
_KINDS = {
    **{f"{prefix}{bits}": f"ec-p{bits}" for bits in (256, 384, 521) for prefix in ("", "p", "p-")},
    "rsa": "rsa-2048",
    "": "ec-p256",
    "ec": "ec-p256",
    "ed25519": "ed25519",
    "ed448": "ed448",
}


def general_name(value: object, *, constraint: bool = False) -> str | None:
    """Return a text as a general name, such as ``dns:a.test``; None if it does not look like one.

    In a name constraint, an address is a network, such as ``ip:192.0.2.1/32``; elsewhere, none is.
    """
    text = _text(value)
    if match := _PREFIX.fullmatch(text):
        return f"{match[1].lower().split()[0].replace('url', 'uri')}:{match[2]}"
    with suppress(ValueError):
        address = ip_network(text) if constraint else ip_address(text)
        if "%" not in text:  # the language has no zones, as in fe80::1%eth0
            return f"ip:{address}"
    if re.fullmatch(r"[a-z]+://[!-~]+", text):
        return f"uri:{text}"
    if re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", text):
        return f"email:{text}"
    return f"dns:{text}" if _HOST.fullmatch(text) else None


def general_names(value: object) -> str | None:
    """Return the list of general names that a text, a list, or a mapping of kinds probably means."""
    if isinstance(value, Mapping):
        value = [text for texts in value.values() for text in (texts if isinstance(texts, list) else [texts])]
    names = [general_name(part) for part in (value if isinstance(value, list) else [value])]
    known = [name for name in names if name is not None]
    return f"[{', '.join(known)}]" if 0 < len(known) == len(names) <= _MOST_VALUES else None


def plain(value: object) -> str | None:
    """Return a text that needs no quotes in YAML."""
    return text if _PLAIN.fullmatch(text := _text(value)) and text not in ("true", "false", "none") else None


def plain_list(value: object) -> str | None:
    """Return the list of a text, or of a list of texts, that need no quotes in YAML."""
    parts = [plain(part) for part in (value if isinstance(value, list) else [value])]
    known = [part for part in parts if part is not None]
    return f"[{', '.join(known)}]" if 0 < len(known) == len(parts) <= _MOST_VALUES else None


def duration(value: object) -> str | None:
    """Return a text that is a duration; a number alone has another unit in each tool."""
    text = _text(value)
    try:
        span = parse_span(text)
    except ValueError:
        return None
    return text if span.seconds + span.months > 0 and text[0] != "+" else None


def days(value: object) -> str | None:
    """Return the duration of a number of days, or of a text that is a duration."""
    return _with_unit(value, "d") or duration(value)


def hours(value: object) -> str | None:
    """Return the duration of a number of hours, or of a text that is a duration."""
    return _with_unit(value, "h") or duration(value)


def _with_unit(value: object, unit: str) -> str | None:
    return f"{text}{unit}" if re.fullmatch("[1-9][0-9]{0,4}", text := _text(value)) else None


def period(value: object) -> str | None:
    """Return the validity period of a number of days, a duration, or a date at which it ends."""
    return f"{{to: {value}}}" if _DATE.fullmatch(_text(value)) else days(value)


def date(value: object) -> str | None:
    """Return a text that is a date."""
    return text if _DATE.fullmatch(text := _text(value)) else None


def number(value: object) -> str | None:
    """Return a text that is a whole number."""
    return text if re.fullmatch("[0-9]{1,7}", text := _text(value)) else None


def key_kind(value: object) -> str | None:
    """Return the kind of key with a number of bits, a curve or an algorithm."""
    text = _text(value).lower().removeprefix("ecdsa").strip("-_ ")
    return _KINDS.get(text) or (f"rsa-{text}" if re.fullmatch("1024|2048|3072|4096|8192", text) else None)


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""
