"""Resolves the host names of test certificates to 127.0.0.1."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pkigen.environment.environment import Environment

_HERE = "127.0.0.1"


def resolve_here(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``socket.getaddrinfo`` resolve the environment's host names to 127.0.0.1."""
    names = {host.lower() for case in environment.cases() for host in (case.host, *case.hosts)}
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = _text(host)
        ours = name in names or f"*.{name.partition('.')[2]}" in names
        return ask(_HERE if ours else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _text(host: Any) -> str:
    """Normalize a host name for comparison; "" if it is not one."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    return name.lower().removesuffix(".") if isinstance(name, str) else ""
