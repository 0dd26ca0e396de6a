"""Connections: halted with the certificate to blame, mended, and no alert lost or doubled."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from pkigen.environment.environment import open_environment
from pkigen.errors import InputError
from pkigen.lab.appliance.credential import read_credential, server_context
from pkigen.lab.connections.connection import ConnectionState
from pkigen.lab.lab import Lab, connection_as_json
from tests.lab.appliance.test_upload import CHAIN, EXPIRED, REVOKED, UNREACHABLE
from tests.lab.conftest import Plant, built, document, up

TO_CONSOLE = "sensor-01:console"


def test_every_appliance_with_a_certificate_connects(plant: Plant) -> None:
    for connection in plant.lab.connections:
        report = plant.check(connection.id)
        expected = (
            ConnectionState.HALTED if connection.sender.name == "sensor-03" else ConnectionState.CONNECTED
        )
        assert report.state is expected, (connection.id, report)
    assert plant.lab.connection(TO_CONSOLE).report.path == (
        "console.contoso.test",
        "Plant Issuing",
        "Plant Root",
    )


def test_a_new_sensor_shows_what_is_missing(plant: Plant) -> None:
    report = plant.check("sensor-03:console")
    assert report.state is ConnectionState.HALTED
    (cause,) = report.causes
    assert (cause.who, cause.whom, cause.message) == ("sensor-03", "console", CHAIN)
    assert "Upload a certificate with its chain" in cause.advice


def test_a_locally_self_signed_sensor_is_not_accepted_by_the_console(plant: Plant) -> None:
    plant.lab.set_validation("sensor-03", mandatory=False)
    try:
        report = plant.check("sensor-03:console")
    finally:
        plant.lab.set_validation("sensor-03", mandatory=True)
    assert report.state is ConnectionState.HALTED
    assert {(cause.who, cause.whom) for cause in report.causes} == {("console", "sensor-03")}
    assert "Upload a CA-issued certificate to sensor-03" in report.causes[0].advice


@pytest.mark.parametrize(
    ("revoked", "connection", "blamed"),
    [
        ("sensor-01", TO_CONSOLE, "sensor-01.contoso.test"),
        ("console", TO_CONSOLE, "console.contoso.test"),
        ("secondary", "console:secondary", "secondary.contoso.test"),
        ("siem", "console:siem", "siem.contoso.test"),
        ("soar", "console:soar", "soar.contoso.test"),
    ],
)
def test_a_revoked_certificate_stops_the_connection_and_is_named(
    revoked: str, connection: str, blamed: str, plant: Plant
) -> None:
    plant.lab.revoke(revoked)
    report = plant.check(connection)
    assert report.state is ConnectionState.HALTED
    assert [(cause.certificate, cause.depth, cause.message) for cause in report.causes] == [
        (blamed, 0, REVOKED)
    ]
    sender = plant.lab.connection(connection).sender
    assert sender.events[-1].grade == "bad"
    assert blamed in sender.events[-1].text
    plant.lab.unrevoke(revoked)
    assert plant.is_(connection, ConnectionState.CONNECTED)


def test_an_unreachable_crl_server_stops_all_connections_and_its_url_is_shown(plant: Plant) -> None:
    plant.lab.stop_crl_server()
    report = plant.check(TO_CONSOLE)
    plant.lab.start_crl_server()
    assert report.state is ConnectionState.HALTED
    assert [(cause.certificate, cause.depth, cause.message) for cause in report.causes] == [
        ("console.contoso.test", 0, UNREACHABLE),
        ("Plant Issuing", 1, UNREACHABLE),
    ]
    assert plant.lab.crl_server.url in report.causes[0].detail
    assert plant.is_(TO_CONSOLE, ConnectionState.CONNECTED)


def test_an_expired_certificate_stops_the_connection_at_its_date(plant: Plant) -> None:
    plant.lab.upload_case("sensor-01", "short")
    assert plant.is_(TO_CONSOLE, ConnectionState.CONNECTED)
    plant.lab.move_clock("3d")
    report = plant.check(TO_CONSOLE)
    external_receivers = plant.check("sensor-02:console")
    plant.lab.reset_clock()
    assert [(cause.who, cause.certificate, cause.message) for cause in report.causes] == [
        ("console", "short.contoso.test", EXPIRED)
    ]
    assert external_receivers.state is ConnectionState.CONNECTED, "CRLs are renewed as the clock runs"
    assert plant.is_(TO_CONSOLE, ConnectionState.CONNECTED)
    assert plant.lab.upload_case("sensor-01", "sensor-01").accepted


def test_a_certificate_of_another_root_stops_the_connection_and_is_named(plant: Plant) -> None:
    assert plant.lab.upload_case("sensor-01", "foreign").accepted, "its own chain makes it sound"
    report = plant.check(TO_CONSOLE)
    assert report.state is ConnectionState.HALTED
    # The sensor has another root now, and is the first to look.
    assert {(cause.who, cause.message) for cause in report.causes} == {("sensor-01", CHAIN)}
    assert plant.lab.upload_case("sensor-01", "sensor-01").accepted
    assert plant.is_(TO_CONSOLE, ConnectionState.CONNECTED)


def test_a_certificate_for_another_host_stops_the_connection(plant: Plant) -> None:
    plant.lab.upload_case("sensor-01", "sensor-02")
    report = plant.check(TO_CONSOLE)
    plant.lab.upload_case("sensor-01", "sensor-01")
    assert [(cause.who, cause.certificate) for cause in report.causes] == [
        ("console", "sensor-02.contoso.test")
    ]
    assert "sensor-02.contoso.test" in report.causes[0].detail


def test_without_validation_the_connection_continues_with_a_note(plant: Plant) -> None:
    plant.lab.revoke("soar")
    plant.lab.set_validation("console", mandatory=False)
    alert = plant.lab.raise_alert("console", "with a revoked receiver")
    report = plant.check("console:soar")
    plant.lab.set_validation("console", mandatory=True)
    plant.lab.unrevoke("soar")
    assert report.state is ConnectionState.UNVALIDATED
    assert report.summary == (
        "Validation is off at console: the connection continues although the certificate is invalid."
    )
    assert [cause.message for cause in report.causes] == [REVOKED]
    assert [text for _, text in plant.lab.receivers["soar"].received].count(f"console: {alert.title}") == 1


def test_validation_can_be_off_at_one_end(plant: Plant) -> None:
    plant.lab.set_validation("console", mandatory=False)
    report = plant.check(TO_CONSOLE)
    plant.lab.set_validation("console", mandatory=True)
    assert report.state is ConnectionState.UNVALIDATED
    assert (
        report.summary
        == "Validation is off at console: the connection continues regardless of the certificate."
    )
    assert report.causes == ()


def test_only_another_cause_is_another_event(own_plant: Plant) -> None:
    lab = own_plant.lab

    def logged() -> list[str]:
        return [event.text for event in lab.appliance("sensor-01").events if "halted" in event.text]

    lab.revoke("sensor-01")
    own_plant.check(TO_CONSOLE)
    assert REVOKED in logged()[-1]
    lab.stop_crl_server()
    own_plant.check(TO_CONSOLE)
    assert UNREACHABLE in logged()[-1]
    count = len(logged())
    own_plant.check(TO_CONSOLE)
    assert len(logged()) == count


def test_an_alert_that_a_server_rejects_after_the_handshake_is_queued(tmp_path: Path) -> None:
    """One that wants a certificate of the sender, in TLS 1.3: it says so when the alert is on its way."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        where = f"127.0.0.1:{listening.getsockname()[1]}"
        rule = {"name": "real", "to": "syslog", "certificate": "siem", "address": where}
        profile = document(forwarding=[rule])
        folder = built(profile, tmp_path)
        case = open_environment(folder)["siem"]
        presented = tmp_path / "siem.pem"
        presented.write_bytes(read_credential([case.certificate, case.key, case.chain]).as_file())
        strict = server_context(presented)
        strict.minimum_version, strict.verify_mode = ssl.TLSVersion.TLSv1_3, ssl.CERT_REQUIRED

        def refuse() -> None:
            with suppress(OSError), ExitStack() as open_until_the_end:
                while True:
                    accepted, _ = listening.accept()
                    wrapped = strict.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
                    open_until_the_end.enter_context(wrapped)
                    with suppress(ssl.SSLError):
                        wrapped.do_handshake()

        threading.Thread(target=refuse, daemon=True).start()
        with up(folder, profile) as plant:
            plant.lab.raise_alert("console", "Nobody takes it")
            report = plant.check("console:real")
            assert report.state is ConnectionState.UNANSWERED, report
            assert len(plant.lab.connection("console:real").outbox) == 1
        listening.shutdown(socket.SHUT_RDWR)


def _titles(plant: Plant) -> dict[str, list[str]]:
    lab = plant.lab
    return {
        "console": [one.title for one in lab.console.alerts],
        "siem": [text.split("|")[5] for _, text in lab.receivers["siem"].received],
        "soar": [text.partition(": ")[2] for _, text in lab.receivers["soar"].received],
    }


def _arrived(plant: Plant, count: int) -> None:
    """Wait until a receiver of messages has read what it was sent."""
    lab = plant.lab
    assert lab.scheduler.wait_until(lambda: len(lab.receivers["siem"].received) >= count, 10)


Break = Callable[[Lab], object]


@pytest.mark.parametrize(
    ("break_", "mend"),
    [
        (lambda lab: lab.revoke("sensor-01"), lambda lab: lab.unrevoke("sensor-01")),
        (lambda lab: lab.stop_crl_server(), lambda lab: lab.start_crl_server()),
        (lambda lab: lab.move_clock("2y"), lambda lab: lab.reset_clock()),
        (
            lambda lab: lab.upload_case("sensor-01", "foreign"),
            lambda lab: lab.upload_case("sensor-01", "sensor-01"),
        ),
    ],
    ids=["revoked", "CRL server stopped", "expired", "wrong chain"],
)
def test_alerts_are_queued_and_sent_after_the_repair(break_: Break, mend: Break, own_plant: Plant) -> None:
    plant, lab = own_plant, own_plant.lab
    lab.raise_alert("sensor-01", "before")
    for connection in (TO_CONSOLE, "console:siem", "console:soar"):
        plant.check(connection)
    _arrived(plant, 1)
    break_(lab)
    assert plant.is_(TO_CONSOLE, ConnectionState.HALTED)
    for number in range(150):
        lab.raise_alert("sensor-01", f"while broken {number}")
    assert plant.is_(TO_CONSOLE, ConnectionState.HALTED)
    assert len(lab.connection(TO_CONSOLE).outbox) == 150
    assert _titles(plant)["console"] == ["before"]
    mend(lab)
    expected = ["before", *(f"while broken {number}" for number in range(150))]
    assert lab.scheduler.wait_until(
        lambda: not any(len(connection.outbox) for connection in lab.connections), 20
    )
    _arrived(plant, 151)
    titles = _titles(plant)
    assert titles["console"] == expected
    assert titles["siem"] == expected
    assert titles["soar"] == expected
    assert [
        len(connection.outbox) for connection in lab.connections if connection.sender.name != "sensor-03"
    ] == [0] * 5


def test_many_long_alerts_do_not_stop_the_queue(own_plant: Plant) -> None:
    """What is sent at once must be less than what a console takes, in whatever script it is written."""
    lab = own_plant.lab
    lab.stop_crl_server()
    own_plant.check(TO_CONSOLE)
    for _ in range(120):
        lab.raise_alert("sensor-01", "\U0001f3ed" * 500, 5, "\U0001f3ed" * 500)
    lab.start_crl_server()
    assert lab.scheduler.wait_until(lambda: len(lab.console.alerts) == 120, 20)
    assert lab.scheduler.wait_until(lambda: not len(lab.connection(TO_CONSOLE).outbox), 20)


def test_queued_alerts_survive_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    profile = document()
    folder = built(profile, tmp_path_factory.mktemp("kept"))
    with up(folder, profile) as plant:
        plant.lab.stop_crl_server()
        plant.check(TO_CONSOLE)
        plant.lab.raise_alert("sensor-01", "over night")
    with up(folder, profile) as plant:
        assert plant.lab.scheduler.wait_until(lambda: "over night" in _titles(plant)["soar"], 10)
        assert _titles(plant)["console"] == ["over night"]


def test_a_connection_is_described_in_json(plant: Plant) -> None:
    for connection in plant.lab.connections:
        assert json.loads(json.dumps(connection_as_json(connection)))["id"] == connection.id


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda lab: lab.appliance("sensor-99"), "no appliance 'sensor-99'"),
        (lambda lab: lab.connection("sensor-01:siem"), "no connection '"),
        (lambda lab: lab.revoke("sensor-99"), "no appliance '"),
        (
            lambda lab: lab.revoke("sensor-03"),
            "presents its locally self-signed certificate; no CA of the lab can revoke it",
        ),
        (lambda lab: lab.upload_case("sensor-01", "nobody"), "no certificate 'nobody'"),
        (lambda lab: lab.move_clock("soon"), "soon"),
        (lambda lab: lab.move_clock("-3d"), "backward"),
        (lambda lab: lab.move_clock("9000y"), "9000y"),
        (lambda lab: lab.renew("nobody"), "no appliance '"),
    ],
)
def test_an_impossible_action_is_reported(act: Break, words: str, plant: Plant) -> None:
    with pytest.raises(InputError, match=words):
        act(plant.lab)


def test_a_renewed_certificate_is_prepared_and_ends_a_revocation(own_plant: Plant) -> None:
    lab = own_plant.lab
    old = own_plant.sha256("sensor-01")
    lab.revoke("sensor-01")
    assert own_plant.is_(TO_CONSOLE, ConnectionState.HALTED)
    lab.renew("sensor-01")
    assert own_plant.is_(TO_CONSOLE, ConnectionState.HALTED)
    assert own_plant.sha256("sensor-01") != old
    assert lab.upload_case("sensor-01", "sensor-01").accepted
    assert own_plant.is_(TO_CONSOLE, ConnectionState.CONNECTED)
