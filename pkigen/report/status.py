"""The status of a certificate of the manifest at a time, and helpers to display it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

MOST_CHARACTERS = 300
"""Maximum length of a displayed value: a subject can have any length."""


def marks(data: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """Return the marks of a CA or a case: trust anchor, broken, revoked, expired, not yet valid."""
    words = ["trust anchor"] if data.get("trusted") else []
    words += ["broken"] if data.get("fault") else []
    words += ["revoked"] if data.get("revoked") else []
    if parse_time(data["not_after"]) < now:
        words.append("expired")
    elif parse_time(data["not_before"]) > now:
        words.append("not yet valid")
    return tuple(words)


def parse_time(text: str) -> datetime:
    """Parse a time of the manifest."""
    return datetime.fromisoformat(text)


def day(text: str) -> str:
    """Return the date of a time of the manifest."""
    return text.partition("T")[0]


def plain(text: str) -> str:
    """Escape invisible and bidirectional characters, and truncate very long values."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return escaped if len(escaped) <= MOST_CHARACTERS else f"{escaped[:MOST_CHARACTERS]} …"


def quantity(count: int, word: str) -> str:
    """Return ``1 certificate``, ``1,000 certificates``, ``2 authorities``."""
    if count == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count:,} {plural}"
