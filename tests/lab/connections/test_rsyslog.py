"""Alerts go to a real rsyslog over TLS, and not while its certificate is revoked."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import open_environment
from pkigen.environment.revoke import revoke, unrevoke
from pkigen.lab.connections.connection import Connection, ConnectionState, Report
from pkigen.lab.lab import Lab
from pkigen.profile import load
from tests.lab.labs import SECONDS, built, document, free_port, up
from tests.lab.rsyslog import Rsyslog, rsyslog

pytestmark = pytest.mark.needs("rsyslogd")


def _profile(port: int, **rule: Any) -> dict[str, Any]:
    siem = {"name": "siem", "to": "syslog", "address": f"127.0.0.1:{port}", **rule}
    return document(1, forwarding=[siem])


@pytest.fixture
def port() -> int:
    return free_port()


def _started(out: Path, port: int) -> AbstractContextManager[Rsyslog]:
    """rsyslog, with the certificate that is there for it now."""
    return rsyslog(out / "rsyslog", open_environment(out / "fleet")["siem"], port)


def _checked(lab: Lab) -> tuple[Connection, Report]:
    connection = lab.connection("console:siem")
    lab.scheduler.now([connection])
    return connection, connection.report


def test_rsyslog_parses_the_fields_of_an_alert(port: int, tmp_path: Path) -> None:
    profile = _profile(port, host="siem.contoso.test")
    folder = built(profile, tmp_path)
    with _started(tmp_path, port) as server, up(folder, profile) as lab:
        alert = lab.raise_alert("console", "Firmware | changed\\", 9, "by=someone zwölf \U0001f512")
        received = server.message()
    assert received == {
        "pri": "129",  # local0.alert
        "version": "1",
        "at": alert.at,
        "hostname": "console.contoso.test",
        "app": "pkigen-lab",
        "procid": "-",
        "msgid": "ALERT",
        "data": "-",
        "msg": "CEF:0|pkigen|lab|1|ALERT|Firmware \\| changed\\\\|9|"
        f"externalId={alert.id} dvchost=console msg=by\\=someone zwölf \U0001f512",
    }


def _refused(lab: Lab) -> None:
    """An alert is raised, and waits: the certificate to blame is named."""
    waiting = lab.raise_alert("sensor-001", "while it is revoked")
    console = lab.console
    lab.take_alerts(console, [waiting])
    connection, report = _checked(lab)
    assert report.state is ConnectionState.HALTED
    assert [(cause.who, cause.whom, cause.certificate, cause.depth) for cause in report.causes] == [
        ("console", "siem", "siem.contoso.test", 0)
    ]
    assert connection.outbox.all() == (waiting,)
    events = [event.text for event in console.events if event.grade == "bad"]
    assert any(text.startswith("console to siem: halted. siem.contoso.test: ") for text in events), events


def _delivered_once(lab: Lab, server: Rsyslog) -> None:
    """What waited has arrived, and so does what is raised next; nothing arrives twice."""
    connection, report = _checked(lab)
    assert report.state is ConnectionState.CONNECTED
    lab.raise_alert("console", "after it was mended")
    _checked(lab)
    assert (len(connection.outbox), connection.outbox.sent) == (0, 2)
    titles = [server.message()["msg"].split("|")[5] for _ in range(2)]
    assert titles == ["while it is revoked", "after it was mended"]


def test_alerts_to_a_revoked_rsyslog_are_queued_and_arrive_once(port: int, tmp_path: Path) -> None:
    profile = _profile(port, host="siem.contoso.test")
    profile["lab"]["interval"] = 1
    folder = built(profile, tmp_path)
    with _started(tmp_path, port) as server, up(folder, profile) as lab:
        connection = lab.connection("console:siem")
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.CONNECTED, SECONDS)
        revoke(folder, ["siem"])
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.HALTED, SECONDS)
        _refused(lab)
        unrevoke(folder, ["siem"], force=True)
        assert lab.scheduler.wait_until(lambda: connection.report.state is ConnectionState.CONNECTED, SECONDS)
        _delivered_once(lab, server)


def test_rsyslog_with_a_new_certificate_gets_the_queued_alerts(port: int, tmp_path: Path) -> None:
    profile = _profile(port, certificate="siem")
    with up(built(profile, tmp_path), profile) as lab:
        with _started(tmp_path, port):
            assert lab.revoke("siem") == "siem"
            _refused(lab)
        assert _checked(lab)[1].state is ConnectionState.UNANSWERED
        build(load(profile), tmp_path, BuildOptions(renew=frozenset({"certificates/siem"})))
        with _started(tmp_path, port) as server:
            _delivered_once(lab, server)
