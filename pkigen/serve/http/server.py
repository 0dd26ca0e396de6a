"""Listening sockets, and the uvicorn server on them: in the foreground or in a thread."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from pkigen.errors import EnvironmentFailure
from pkigen.os_errors import os_error_reason
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.port_switch import PortSwitch

_STOP_SECONDS = 2
_OPTIONS = {"http": "--port", "https": "--tls-port"}
_REACHED = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  compared, not bound


class PortNotPermitted(EnvironmentFailure):
    """The system does not permit this user to listen on the port."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that accepts connections, and the URL under which it does."""

    socket: socket.socket
    host: str
    scheme: str = "http"

    @property
    def port(self) -> int:
        """The actual port, also if the system chose it."""
        return int(self.socket.getsockname()[1])

    @property
    def here(self) -> tuple[str, int]:
        """Address for clients on this machine, also if the server listens on all addresses."""
        return _REACHED.get(self.host, self.host), self.port

    @property
    def url(self) -> str:
        """URL for clients on this machine, without a trailing slash."""
        host, port = self.here
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def listen(host: str, port: int, scheme: str = "http", option: str = "") -> Iterator[Listener]:
    """Listen on one address; raise EnvironmentFailure with a remedy if that fails.

    ``option`` is the command-line option that sets the port (default: the one of the scheme).
    """
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
            failure = PortNotPermitted if error.errno in (errno.EACCES, errno.EPERM) else EnvironmentFailure
            raise failure(_refusal(host, port, option or _OPTIONS[scheme], error)) from error
        yield Listener(sock, host, scheme)


def _refusal(host: str, port: int, option: str, error: OSError) -> str:
    another = f"Choose another with {option}"
    hint = {
        errno.EADDRINUSE: f"{os_error_reason(error)}. {another}, or {option} 0 for any free one",
        errno.EACCES: f"ports below 1024 are for administrators. {another}",
        errno.EADDRNOTAVAIL: f"{os_error_reason(error)}. Choose another with --host",
    }.get(error.errno or 0, os_error_reason(error))
    return f"cannot listen on {host} port {port}: {hint}"


_LOG_TO_STDERR = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(message)s", "datefmt": "%H:%M:%S"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "pkigen.serve.http": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "pkigen.serve.tls": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


def run(
    app: ASGIApp, listener: Listener, announce: Callable[[], None], switch: PortSwitch | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, and log each request to stderr.

    ``announce`` is called when either signal ends the server cleanly. ``switch`` can close its port.
    """
    # uvicorn shuts down on either signal and then raises it again; a signal that arrives before uvicorn is
    # ready must have the same effect.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    log = AccessLog(sys.stderr)
    server = (switch or PortSwitch()).server(app, log, grace=_STOP_SECONDS, log_config=_LOG_TO_STDERR)
    try:
        announce()
        server.run(sockets=[listener.socket])
    except KeyboardInterrupt:
        # If uvicorn was not ready, its task is still pending, which asyncio would report at exit.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    finally:
        log.flush()
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def background(
    app: ASGIApp, listener: Listener, switch: PortSwitch | None = None, *, grace: int = _STOP_SECONDS
) -> Iterator[None]:
    """Serve in a thread until the block ends; ``switch`` can close the port.

    Active requests then have ``grace`` seconds to finish.
    """
    # The socket listens already and queues connections, so nothing has to wait until the thread has started.
    server = (switch or PortSwitch()).server(app, None, grace=grace, log_config=None)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener.socket]}, name="pkigen-serve", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
