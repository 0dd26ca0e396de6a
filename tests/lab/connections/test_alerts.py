"""Alerts: CEF that parsers can read, and messages that arrive in pieces."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.lab.connections.alert_formats import (
    SyslogFrameParser,
    cef,
    syslog,
    webhook,
)
from pkigen.lab.connections.alerts import (
    MAX_QUEUED,
    Alert,
    Outbox,
    parse_alert,
)

TEXTS = st.text(max_size=60)
ALERTS = st.builds(
    Alert,
    id=st.text("0123456789abcdef", min_size=1, max_size=16),
    at=st.just("2026-01-02T03:04:05Z"),
    source=st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True),
    title=TEXTS.filter(str.strip),
    severity=st.integers(0, 10),
    message=TEXTS,
)


def _plain(text: str) -> str:
    """A text as one line of print: what CEF carries of it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _read(line: str) -> tuple[list[str], dict[str, str]]:
    """The head and the extension of CEF, by its rules of escaping, written apart from ours."""
    fields = re.split(r"(?<!\\)((?:\\\\)*)\|", line, maxsplit=7)
    heads = [fields[n] + (fields[n + 1] if n + 1 < len(fields) else "") for n in range(0, len(fields), 2)]
    head = [re.sub(r"\\([\\|])", r"\1", one) for one in heads[:7]]
    pairs = re.split(r"(?:^| )(externalId|dvchost|msg)=", heads[7])[1:]
    extension = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return head, {key: re.sub(r"\\([\\=])", r"\1", value) for key, value in extension.items()}


@given(ALERTS)
def test_an_alert_in_cef_round_trips(alert: Alert) -> None:
    head, extension = _read(cef(alert))
    assert head == ["CEF:0", "pkigen", "lab", "1", "ALERT", _plain(alert.title), str(alert.severity)]
    assert extension == {
        "externalId": alert.id,
        "dvchost": alert.source,
        "msg": _plain(alert.message or alert.title),
    }
    assert cef(alert).isprintable()


@given(ALERTS)
def test_a_message_begins_with_its_length_and_a_syslog_header(alert: Alert) -> None:
    data = syslog(alert, "console.contoso.test")
    length, _, message = data.partition(b" ")
    assert int(length) == len(message)
    match = re.match(
        rb"<(\d+)>1 2026-01-02T03:04:05Z console\.contoso\.test pkigen-lab - ALERT - CEF:0", message
    )
    assert match is not None
    facility, severity = divmod(int(match[1]), 8)
    assert facility == 16
    assert 0 <= severity <= 7


def test_the_worst_alert_is_the_most_severe_message() -> None:
    def severity(of: int) -> int:
        data = syslog(Alert("1", "now", "s", "t", of), "h")
        return int(data.partition(b"<")[2].partition(b">")[0]) % 8

    assert [severity(of) for of in (0, 5, 10)] == [7, 4, 0]
    assert sorted((severity(of) for of in range(11)), reverse=True) == [severity(of) for of in range(11)]


@given(st.lists(ALERTS, max_size=5), st.data())
def test_messages_do_not_depend_on_how_their_bytes_arrive(alerts: list[Alert], data: st.DataObject) -> None:
    sent = b"".join(syslog(alert, "h") for alert in alerts)
    frames, received, place = SyslogFrameParser(), list[str](), 0
    while place < len(sent):
        step = data.draw(st.integers(1, len(sent) - place))
        received += frames.take(sent[place : place + step])
        place += step
    assert received == [syslog(alert, "h").partition(b" ")[2].decode() for alert in alerts]


def _taken(parts: list[bytes]) -> tuple[list[str], bool]:
    """The messages, and whether it ended in an error."""
    frames, received = SyslogFrameParser(), list[str]()
    try:
        for part in parts:
            received.extend(frames.take(part))
    except ValueError:
        return received, True
    return received, False


@given(
    st.lists(st.sampled_from([b"3 abc", b"0 ", b"1 \xff", b"x", b" ", b"99999999", b"5 a", b"007 1234567"]))
)
def test_no_bytes_raise_an_exception_and_their_split_does_not_matter(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert _taken([data]) == _taken([data[n : n + 1] for n in range(len(data))])


@pytest.mark.parametrize("data", [b"abc", b" 3 abc", b"-3 abc", b"99999 x", b"12345678", b"0 ", b"+3 abc"])
def test_a_message_without_a_length_is_rejected(data: bytes) -> None:
    with pytest.raises(ValueError, match="length"):
        list(SyslogFrameParser().take(data))


def test_an_incomplete_length_is_awaited() -> None:
    frames = SyslogFrameParser()
    assert list(frames.take(b"1")) == []
    assert list(frames.take(b"0 12345678")) == []
    assert list(frames.take(b"903 x")) == ["1234567890"]


@given(st.lists(ALERTS, max_size=3))
def test_a_webhook_receives_alerts_in_json(alerts: list[Alert]) -> None:
    assert [parse_alert(one) for one in json.loads(webhook(alerts))["alerts"]] == alerts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["id", "title", "severity", "at"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_becomes_an_alert_or_an_error(data: object) -> None:
    try:
        alert = parse_alert(data)
    except ValueError:
        return
    assert alert.title.strip()
    assert 0 <= alert.severity <= 10
    assert parse_alert(json.loads(json.dumps(alert.as_json()))) == alert


@pytest.mark.parametrize("severity", [5, 5.0])
def test_an_integer_is_read_in_every_json_notation(severity: float) -> None:
    parsed = parse_alert({"title": "x", "severity": severity}).severity
    assert (parsed, type(parsed)) == (5, int)


def _alert(number: int) -> Alert:
    return Alert(f"{number}", "now", "sensor", f"alert {number}")


def test_queued_alerts_are_sent_in_order_and_removed() -> None:
    box = Outbox(map(_alert, range(3)))
    box.put(_alert(3))
    sent = box.all()[:2]
    box.put(_alert(4))
    box.delivered(sent)
    assert [one.id for one in box.all()] == ["2", "3", "4"]
    assert (box.sent, box.lost, len(box)) == (2, 0, 3)


def test_above_the_limit_the_oldest_alerts_are_dropped_and_counted() -> None:
    box = Outbox()
    for number in range(MAX_QUEUED + 7):
        box.put(_alert(number))
    assert (len(box), box.lost) == (MAX_QUEUED, 7)
    assert box.all()[0].id == "7"


def test_every_change_of_the_queue_is_counted() -> None:
    box = Outbox()
    counts = [box.changes]
    box.put(_alert(1))
    counts.append(box.changes)
    box.delivered([])
    assert box.changes == counts[-1]
    box.delivered(box.all())
    counts.append(box.changes)
    assert counts == sorted(set(counts))
