"""Alerts, events, and the queue of alerts that are not sent yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Literal, get_args

MAX_QUEUED = 1000
MAX_STORED = 500
MAX_BATCH_BYTES = 512 * 1024
"""Maximum size of the JSON of the alerts that one request contains."""

Grade = Literal["good", "notice", "bad"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of a sensor; ``severity`` is 0 to 10, as in CEF; ``at`` is ISO 8601 in UTC."""

    id: str
    at: str
    source: str
    title: str
    severity: int = 5
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the alert as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of an appliance's log."""

    at: str
    grade: Grade
    text: str


def format_time(at: datetime) -> str:
    """Format a time: ISO 8601, UTC, whole seconds."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def parse_alert(data: Any) -> Alert:
    """Parse an alert from JSON; ValueError if it is invalid."""
    if not isinstance(data, dict):
        raise ValueError("an alert must be a JSON object")
    texts = {key: data.get(key, "") for key in ("id", "at", "source", "title", "message")}
    severity = data.get("severity", 5)
    if isinstance(severity, float) and severity.is_integer():
        severity = int(severity)  # JSON does not distinguish 5.0 and 5.
    if not all(isinstance(value, str) and len(value) <= 1000 for value in texts.values()):
        raise ValueError("the strings of an alert must not exceed 1,000 characters")
    if not texts["title"].strip():
        raise ValueError("an alert needs a title")
    if isinstance(severity, bool) or not isinstance(severity, int) or not 0 <= severity <= 10:
        raise ValueError("the severity of an alert must be a number from 0 to 10")
    return Alert(**texts, severity=severity)


def parse_event(data: Any) -> Event:
    """Parse an entry of a saved log; ValueError or TypeError if it is invalid."""
    if not isinstance(data, dict) or data.get("grade") not in get_args(Grade):
        raise ValueError("an event must be a JSON object with a grade")
    if not all(isinstance(value, str) for value in data.values()):
        raise ValueError("the values of an event must be strings")
    return Event(**data)


def parse_alerts(body: dict[str, Any]) -> list[Alert]:
    """Parse the alerts of a request body; ValueError if one is invalid."""
    alerts = body.get("alerts", ())
    if not isinstance(alerts, (list, tuple)):
        raise ValueError("the value of 'alerts' must be a list")
    return list(map(parse_alert, alerts))


class Outbox:
    """Queued alerts for one receiver, oldest first; beyond MAX_QUEUED the oldest are dropped and counted.

    ``changes`` counts the changes of the queue.
    """

    def __init__(self, waiting: Iterable[Alert] = ()) -> None:
        self.lost = 0
        self.sent = 0
        self.changes = 0
        self._waiting = deque(waiting)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, alert: Alert) -> None:
        """Queue an alert."""
        with self._lock:
            self.changes += 1
            self._waiting.append(alert)
            if len(self._waiting) > MAX_QUEUED:
                self._waiting.popleft()
                self.lost += 1

    def all(self) -> tuple[Alert, ...]:
        """Return the queued alerts."""
        with self._lock:
            return tuple(self._waiting)

    def delivered(self, alerts: Iterable[Alert]) -> None:
        """Remove delivered alerts from the queue."""
        done = {alert.id for alert in alerts}
        with self._lock:
            self.changes += bool(done)
            self.sent += len(done)
            self._waiting = deque(one for one in self._waiting if one.id not in done)
