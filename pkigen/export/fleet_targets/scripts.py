"""Locust and k6: a script that reads one file with all certificates."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.fleet_table import json_lines
from pkigen.export.target import fleet_target

_DATA = "private/fleet.jsonl"


@fleet_target("locustfile.py.j2", start="locust --headless --users 10 --run-time 1m")
def locust(draft: Draft) -> None:
    """locustfile.py: each user is another device, from a JSON Lines file"""
    _add_data(draft)
    draft.render("locustfile.py", "locustfile.py.j2")


@fleet_target("script.js.j2", start="k6 run -e DEVICE=0 script.js")
def k6(draft: Draft) -> None:
    """script.js: a device for each process of k6, from a JSON Lines file"""
    _add_data(draft)
    draft.render("script.js", "script.js.j2")


def _add_data(draft: Draft) -> None:
    names, lines = json_lines(draft.members)
    draft.exported += names
    draft.add(_DATA, lines, secret=True)
    draft.trust()
