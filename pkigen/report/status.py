"""What is to be said of a certificate of the manifest at an instant, in a word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

MOST_CHARACTERS = 300
"""Of one text, as it is shown: a subject can be as long as one likes."""


def marks(data: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """Words for an authority or a case: trust anchor, broken, revoked, expired, not yet valid."""
    found = ["trust anchor"] if data.get("trusted") else []
    found += ["broken"] if data.get("fault") else []
    found += ["revoked"] if data.get("revoked") else []
    if parse_time(data["not_after"]) < now:
        found.append("expired")
    elif parse_time(data["not_before"]) > now:
        found.append("not yet valid")
    return tuple(found)


def parse_time(text: str) -> datetime:
    """A time of the manifest."""
    return datetime.fromisoformat(text)


def day(text: str) -> str:
    """The date of a time of the manifest."""
    return text.partition("T")[0]


def plain(text: str) -> str:
    """Text without characters that nobody sees or that turn lines around, cut where it is very long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]} …"


def quantity(count: int, word: str) -> str:
    """``1 certificate``, ``1,000 certificates``, ``2 authorities``."""
    if count == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count:,} {plural}"
