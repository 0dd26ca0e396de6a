"""Labs of any size on free ports of this machine, and others for them to talk to."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pkigen.environment.build.build import build
from pkigen.lab.lab import Lab
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load

SECONDS = 120.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def document(sensors: int, **lab: Any) -> dict[str, Any]:
    """A console, so many sensors, and a certificate for a server of somebody else."""
    return {
        "name": "fleet",
        "base_url": f"http://127.0.0.1:{free_port()}",
        "defaults": {"key": "ec-p256"},
        "authorities": {
            "root": {"subject": {"CN": "Fleet Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Fleet Issuing"}},
        },
        "certificates": {
            "console": {"issuer": "issuing", "subject": {"CN": "console.contoso.test"}},
            f"sensor-{{001..{sensors:03}}}": {
                "issuer": "issuing",
                "subject": {"CN": "{{ name }}.contoso.test"},
            },
            "siem": {"issuer": "issuing", "subject": {"CN": "siem.contoso.test"}},
        },
        "lab": {"console": "console", "sensors": ["sensor-*"], "interval": 3600, **lab},
    }


def built(profile: Mapping[str, Any], out: Path) -> Path:
    """The directory of its environment."""
    return build(load(profile), out).folder


@contextmanager
def up(folder: Path, profile: Mapping[str, Any]) -> Iterator[Lab]:
    """The lab of a built environment."""
    with running_lab(folder, load(profile), web) as lab:
        yield lab


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a server that accepts connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
