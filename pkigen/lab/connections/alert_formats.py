"""Encodes alerts: CEF in syslog over TLS (RFC 5424, RFC 5425), and JSON for webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pkigen.lab.connections.alerts import Alert

_FACILITY_LOCAL0 = 16
MAX_MESSAGE_BYTES = 32 * 1024
"""Maximum size of a received message in bytes."""


def cef(alert: Alert) -> str:
    """Encode an alert in ArcSight's Common Event Format, version 0."""
    head = "|".join(map(_head, ("pkigen", "lab", "1", "ALERT", alert.title)))
    extension = {"externalId": alert.id, "dvchost": alert.source, "msg": alert.message or alert.title}
    fields = " ".join(f"{key}={_extension(value)}" for key, value in extension.items())
    return f"CEF:0|{head}|{alert.severity}|{fields}"


def _head(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _extension(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("=", "\\=")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def syslog(alert: Alert, host: str) -> bytes:
    """Encode an alert as a syslog message with a length prefix (RFC 5425 section 4.3)."""
    severity = 7 - min(7, alert.severity * 7 // 10)
    priority = _FACILITY_LOCAL0 * 8 + severity
    text = f"<{priority}>1 {alert.at} {host} pkigen-lab - ALERT - {cef(alert)}"
    data = text.encode("utf-8")
    return f"{len(data)} ".encode("ascii") + data


def webhook(alerts: Sequence[Alert]) -> bytes:
    """Encode alerts as the body of a webhook request."""
    return json.dumps({"alerts": [alert.as_json() for alert in alerts]}).encode("ascii")


class SyslogFrameParser:
    """Splits a byte stream into syslog messages (RFC 5425, section 4.3)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[str]:
        """Yield the complete messages; ValueError for a missing or excessive length prefix."""
        self._buffer += data
        while True:
            count, space, _ = bytes(self._buffer[:8]).partition(b" ")
            if not space:
                if len(count) >= 8 or (count and not count.isdigit()):
                    raise ValueError("the message does not start with its length")
                return
            if not count.isdigit() or not 0 < int(count) <= MAX_MESSAGE_BYTES:
                raise ValueError("the message length is zero or too large")
            end = len(count) + 1 + int(count)
            if len(self._buffer) < end:
                return
            yield self._buffer[len(count) + 1 : end].decode("utf-8", "replace")
            del self._buffer[:end]
