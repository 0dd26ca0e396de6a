"""A socket and a server on it: in the foreground until a signal, or in a thread for a while."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pkigen.errors import EnvironmentFailure

_MOST_CONNECTIONS = 256
_MOST_HEADER_BYTES = 16 * 1024
_CONNECTION_SECONDS = 60
_IDLE_SECONDS = 5
_STOP_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that accepts connections, and the URL under which it does."""

    socket: socket.socket
    host: str
    scheme: str = "http"

    @property
    def port(self) -> int:
        """The port, also when any free one was asked for."""
        return int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@contextmanager
def listen(host: str, port: int, scheme: str = "http") -> Iterator[Listener]:
    """Listen on one address; EnvironmentFailure with what to do when that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise EnvironmentFailure(f"cannot listen on '{host}': no such address ({error})") from error
    with sock:
        try:
            # A port that was just left is free at once. On Windows the same option would share it.
            shared = sys.platform != "win32"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))
            sock.bind(address)
            sock.listen()
        except OSError as error:
            raise EnvironmentFailure(_refusal(host, port, scheme, error)) from error
        yield Listener(sock, host, scheme)


def _refusal(host: str, port: int, scheme: str, error: OSError) -> str:
    option = "--tls-port" if scheme == "https" else "--port"
    another = f"Choose another with {option}"
    hint = {
        errno.EADDRINUSE: f"another program has it. {another}, or {option} 0 for any free one",
        errno.EACCES: f"ports below 1024 are for administrators. {another}",
        errno.EADDRNOTAVAIL: "this machine has no such address. Choose another with --host",
    }.get(error.errno or 0, error.strerror)
    return f"cannot listen on {host} port {port}: {hint}"


_OPEN: dict[tuple[str, int], asyncio.Transport] = {}
"""The connections by the client's address and port."""
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


def hang_up(client: tuple[str, int], *, reset: bool) -> bool:
    """End a client's connection in the middle: with a reset, or once what was written is sent.

    False when there is no such connection.
    """
    transport = _OPEN.get(client)
    if transport is None:
        return False
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        transport.abort()
    else:
        transport.close()
    return True


class _BoundedProtocol(H11Protocol):
    """HTTP/1.1 on one connection, for a bounded time: a client that dawdles takes no place for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._peer = (str(peer[0]), int(peer[1])) if peer else ("", 0)
        _OPEN[self._peer] = transport
        # Closing still sends what was written; aborting frees us of one who does not read it.
        self._ends = (
            self.loop.call_later(_CONNECTION_SECONDS, transport.close),
            self.loop.call_later(2 * _CONNECTION_SECONDS, transport.abort),
        )

    def connection_lost(self, exc: Exception | None) -> None:
        for end in self._ends:
            end.cancel()
        _OPEN.pop(self._peer, None)
        super().connection_lost(exc)


def _server(app: ASGIApp, **logging: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_BoundedProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        **logging,
    )
    return uvicorn.Server(config)


_LOG_TO_STDERR = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(message)s", "datefmt": "%H:%M:%S"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "uvicorn.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "pkigen.serve.tls": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


def run(app: ASGIApp, listener: Listener, announce: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, with a line on stderr for each request; then return.

    ``announce`` is called as soon as either signal ends it in good order.
    """
    # uvicorn ends in good order on either signal and then raises it once more: both are to arrive
    # here as the same exception, also when they come before it is ready.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        announce()
        _server(app, log_config=_LOG_TO_STDERR).run(sockets=[listener.socket])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def background(app: ASGIApp, listener: Listener) -> Iterator[None]:
    """Serve in a thread until the block is left, in whatever way it is."""
    # Nothing waits for the start: the socket listens already, and keeps what comes until then.
    server = _server(app, log_config=None, access_log=False)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener.socket]}, name="pkigen-serve", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
