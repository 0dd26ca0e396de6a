"""The section ``lab``: what it takes, and what it says of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.profile import load
from pkigen.profile.top_level import Lab

_PROFILE = {
    "name": "test",
    "base_url": "http://127.0.0.1:8080",
    "authorities": {"root": {"subject": {"CN": "Root"}}},
    "certificates": {"console": {"issuer": "root", "subject": {"CN": "console.test"}}},
}


def _lab(**section: Any) -> Lab:
    lab = load({**_PROFILE, "lab": {"console": "console", **section}}).lab
    assert lab is not None
    return lab


def _refused(**section: Any) -> str:
    with pytest.raises(InputError) as caught:
        _lab(**section)
    return str(caught.value)


def test_a_lab_needs_only_a_console() -> None:
    lab = _lab()
    assert (lab.console, lab.secondary, lab.sensors, lab.forwarding) == ("console", None, (), ())
    assert (lab.fresh, lab.proxy, lab.interval) == ((), False, 15)
    assert load(_PROFILE).lab is None


def test_the_shipped_demo_has_all_kinds() -> None:
    lab = load("demo").lab
    assert lab is not None
    assert lab.secondary
    assert lab.sensors
    assert lab.fresh
    assert {rule.to for rule in lab.forwarding} == {"syslog", "webhook"}


@pytest.mark.parametrize(
    "address", ["10.1.0.20:6514", "siem.contoso.test:1", "[::1]:65535", "[2001:db8::1]:6514"]
)
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    rule = {"name": "siem", "to": "syslog", "address": address, "host": "siem.test"}
    assert _lab(forwarding=[rule]).forwarding[0].address == address


@pytest.mark.parametrize(
    "address",
    ["", "siem", "siem:", ":6514", "siem:0", "siem:65536", "siem:99999", "::1:6514", "a b:1", "siem:-1"],
)
def test_an_invalid_address_is_rejected(address: str) -> None:
    errors = _refused(forwarding=[{"name": "siem", "to": "syslog", "address": address, "host": "siem.test"}])
    assert "is no address such as 10.1.0.20:6514" in errors


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"console": ""}, "lab.console"),
        ({"consoles": "x"}, "unknown key 'consoles'"),
        ({"interval": 0}, "lab.interval"),
        ({"interval": 3601}, "lab.interval"),
        ({"proxy": "perhaps"}, "lab.proxy"),
        ({"sensors": "sensor-*"}, "lab.sensors"),
        ({"sensors": ["x"] * 101}, "lab.sensors"),
        ({"forwarding": [{"name": "a", "to": "smoke"}]}, "lab.forwarding"),
        ({"forwarding": [{"name": "a", "to": "syslog"}]}, "give 'certificate' for a server of the lab"),
        (
            {"forwarding": [{"name": "a", "to": "syslog", "address": "h:1"}]},
            "'address' and 'host' of a real one",
        ),
        (
            {"forwarding": [{"name": "a", "to": "webhook", "certificate": "c", "sender": "sensors"}]},
            "webhooks are of the management console alone",
        ),
        ({"forwarding": [{"name": "../a", "to": "syslog", "certificate": "c"}]}, "cannot be a name"),
        ({"forwarding": [{"name": "a/b", "to": "syslog", "certificate": "c"}]}, "cannot be a name"),
        ({"forwarding": [{"name": "", "to": "syslog", "certificate": "c"}]}, "cannot be a name"),
    ],
)
def test_an_error_is_reported_at_its_line(section: dict[str, Any], words: str) -> None:
    assert words in _refused(**section)


def test_a_problem_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "name: test\nbase_url: http://127.0.0.1:1\nauthorities: {root: {subject: {CN: R}}}\n"
        "certificates: {}\nlab:\n  console: c\n  interval: soon\n"
    )
    with pytest.raises(InputError, match=r"p\.yaml:7:13"):
        load(path)
