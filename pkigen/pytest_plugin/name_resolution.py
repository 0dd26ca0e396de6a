"""Resolves the host names of test certificates to 127.0.0.1."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pkigen.environment.environment import Environment

_HERE = "127.0.0.1"


def resolve_here(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``socket.getaddrinfo`` find the environment's host names at 127.0.0.1, and all others as ever."""
    names = {host.lower() for case in environment.cases() for host in (case.host, *case.hosts)}
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = _text(host)
        ours = name in names or f"*.{name.partition('.')[2]}" in names
        return ask(_HERE if ours else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _text(host: Any) -> str:
    """A host name as the certificates' are compared; "" for what is none."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    return name.lower().removesuffix(".") if isinstance(name, str) else ""
