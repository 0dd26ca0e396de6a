"""The overview's drawing and summary, without a browser: nothing is drawn over anything else."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.connections.connection import (
    Cause,
    Connection,
    ConnectionState,
    Report,
)
from pkigen.lab.lab import Lab
from pkigen.lab.web.overview import summary
from pkigen.lab.web.topology import MOST_SENSORS, drawings, fit
from tests.tools import ROOT

CAUSE = Cause("console", "sensor", "sensor.test", 0, "It has expired.", "It ended yesterday", "Renew it")


def _appliance(name: str, role: Role) -> Appliance:
    party = SimpleNamespace(name=name, role=role, url=f"https://{name}", local=False, mandatory=True)
    return cast(Appliance, party)


def _link(sender: Appliance, target: str, to: Appliance | None = None, **report: Any) -> Connection:
    state = Report(**{"state": ConnectionState.CONNECTED, **report})
    aim = SimpleNamespace(name=target, kind="syslog", appliance=to)
    connection = SimpleNamespace(sender=sender, target=aim, id=f"{sender.name}:{target}", report=state)
    return cast(Connection, connection)


def _lab(sensors: int, receivers: int, *, direct: bool = False, halted: frozenset[int] = frozenset()) -> Lab:
    console, secondary = _appliance("console", Role.CONSOLE), _appliance("secondary", Role.SECONDARY)
    many = [_appliance(f"sensor-{number}", Role.SENSOR) for number in range(sensors)]
    connections = [
        _link(one, "console", console, **({"state": ConnectionState.HALTED} if number in halted else {}))
        for number, one in enumerate(many)
    ]
    connections.append(_link(console, "secondary", secondary))
    for number in range(receivers):
        connections += [_link(one, f"siem-{number}") for one in (many if direct else [console])]
    lab = SimpleNamespace(
        appliances={one.name: one for one in (console, secondary, *many)},
        console=console,
        connections=tuple(connections),
    )
    lab.connections_of = lambda own: tuple(
        one for one in connections if own in (one.sender, one.target.appliance)
    )
    return cast(Lab, lab)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(("sensors", "receivers"), [(0, 0), (1, 0), (4, 2), (12, 5), (200, 3)])
@pytest.mark.parametrize("as_seen_by", ["console", "secondary", "sensor-0"])
def test_nothing_overlaps_in_the_drawing(as_seen_by: str, sensors: int, receivers: int, direct: bool) -> None:
    lab = _lab(sensors, receivers, direct=direct)
    for drawn in drawings(lab, lab.appliances.get(as_seen_by, lab.console)):
        marks = [(edge.x - 9, edge.y - 9, edge.x + 9, edge.y + 9) for edge in drawn.edges]
        solid = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in drawn.boxes] + marks
        for one, other in combinations(solid, 2):
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (drawn.shape, one, other)
        for left, top, right, bottom in solid:
            assert left >= 0, drawn.shape
            assert top >= 0, drawn.shape
            assert right <= drawn.width, drawn.shape
            assert bottom <= drawn.height, drawn.shape


def test_sensors_with_a_bad_connection_are_drawn_before_the_others() -> None:
    lab = _lab(40, 1, halted=frozenset({38}))
    wide, _ = drawings(lab, lab.console)
    assert wide.boxes[0].party.name == "sensor-38"
    assert wide.hidden == 40 - MOST_SENSORS


@given(st.text(min_size=1, max_size=80), st.floats(80, 220))
def test_a_name_is_shortened_in_the_middle(name: str, room: float) -> None:
    fitted = fit(name, room, 15.0, 11.0)
    assert 11.0 <= fitted.size <= 15.0
    assert len(fitted.words) * fitted.size * 0.68 <= room + 1
    if fitted.words != name:
        ahead, _, behind = fitted.words.partition("…")
        assert name.startswith(ahead)
        assert name.endswith(behind)


def test_the_summary_groups_connections_with_the_same_problem() -> None:
    console = _appliance("console", Role.CONSOLE)
    sensors = [_appliance(f"sensor-{number}", Role.SENSOR) for number in range(4)]
    bad: dict[str, Any] = {"state": ConnectionState.HALTED, "causes": (CAUSE,)}
    connections = [
        _link(one, "console", console, **(bad if one is not sensors[0] else {})) for one in sensors
    ]
    result = summary(connections)
    assert result.headline == "3 of 4 connections are halted."
    assert [(one.grade, one.words, len(one.connections)) for one in result.troubles] == [
        ("bad", CAUSE.message, 3)
    ]


@pytest.mark.parametrize(
    ("standings", "headline"),
    [
        ([], "This appliance has no connections."),
        ([ConnectionState.CONNECTED], "The connection is up."),
        ([ConnectionState.CONNECTED] * 2, "All 2 connections are up."),
        ([ConnectionState.CONNECTED, ConnectionState.WAITING], "Connecting ..."),
        ([ConnectionState.CONNECTED, ConnectionState.HALTED], "1 of 2 connections is halted."),
        ([ConnectionState.UNVALIDATED, ConnectionState.UNANSWERED], "1 of 2 connections is halted."),
        ([ConnectionState.UNVALIDATED] * 2, "None of the 2 connections is validated."),
    ],
)
def test_the_headline_states_the_worst_problem(standings: list[ConnectionState], headline: str) -> None:
    console = _appliance("console", Role.CONSOLE)
    connections = [_link(console, f"receiver-{number}", state=one) for number, one in enumerate(standings)]
    assert summary(connections).headline == headline


def test_every_page_of_the_console_is_in_the_package() -> None:
    web = ROOT / "pkigen" / "lab" / "web"
    for page in (web / "templates").glob("*.html"):
        text = page.read_text("utf-8")
        assert "style=" not in text, f"{page.name}: the content security policy forbids it"
        assert "onclick=" not in text, f"{page.name}: the content security policy forbids it"
        assert "http://" not in text, f"{page.name}: nothing comes from elsewhere"
