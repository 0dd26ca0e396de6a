"""Serves a built environment: the URLs in its certificates over HTTP, and its certificates over TLS.

``serve`` and ``serve_tls`` are the Python API; ``pkigen serve`` does the same in the foreground.
Starlette and uvicorn are imported when a server starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pkigen.serve.control.handle import ServerHandle
    from pkigen.serve.control.runtime_faults import RuntimeFaults

__all__ = ["serve", "serve_as_proxy", "serve_controlled", "serve_tls"]


@contextmanager
def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> Iterator[str]:
    """Serve the environment in ``folder`` for the duration of the ``with`` block.

    Yields the server's URL without a trailing slash, e.g. ``http://127.0.0.1:49152``; ``port`` 0 selects a
    free port. The server runs in a thread of this process. It publishes CRLs before they expire; ``at`` is
    the start time of its clock (default: now). ``passphrases`` decrypt the keys of the profile.

    Raises InputError if the directory contains no environment, EnvironmentFailure if it cannot listen.
    """
    with _serving(Path(folder), host, port, at, passphrases, None) as url:
        yield url


@contextmanager
def serve_as_proxy(
    folder: str | Path, *, host: str = "127.0.0.1", at: datetime | None = None
) -> Iterator[str]:
    """Serve an environment like ``serve`` does, for clients that use this server as their HTTP proxy.

    Yields its address, e.g. ``127.0.0.1:49152``. URLs below the environment's ``base_url`` work through the
    proxy; others return 502. Raises the same errors as ``serve``.
    """
    from urllib.parse import urlsplit

    from pkigen.environment.environment import open_environment

    base_url = open_environment(Path(folder)).base_url
    with _serving(Path(folder), host, 0, at, (), None, urlsplit(base_url).netloc) as url:
        yield url.removeprefix("http://")


@contextmanager
def serve_controlled(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    at: datetime | None = None,
    passphrases: Sequence[bytes] = (),
) -> Iterator[ServerHandle]:
    """Serve an environment like ``serve`` does; the handle sets faults and returns requests.

    Yields a handle with the ``url``::

        with serve_controlled("out/contoso-ot") as stub:
            stub.fault(of="ot-issuing", id="crl-http-500")
            ...
            stub.clear()

    Raises the same errors as ``serve``.
    """
    from pkigen.clock import going_on_from, utc_now
    from pkigen.serve.control.handle import ServerHandle
    from pkigen.serve.control.runtime_faults import RuntimeFaults

    live = RuntimeFaults(Path(folder), utc_now if at is None else going_on_from(at), passphrases)
    with _serving(Path(folder), host, port, at, passphrases, live) as url:
        yield ServerHandle(url, live)


@contextmanager
def _serving(
    folder: Path,
    host: str,
    port: int,
    at: datetime | None,
    passphrases: Sequence[bytes],
    live: RuntimeFaults | None,
    only_for: str = "",
) -> Iterator[str]:
    """``only_for`` is the required Host header (HOST or HOST:PORT); empty accepts any."""
    from pkigen.clock import going_on_from, utc_now
    from pkigen.environment.crl.upkeep import Upkeep
    from pkigen.environment.environment import open_environment
    from pkigen.serve.crl_upkeep import crl_upkeep
    from pkigen.serve.http.app import application
    from pkigen.serve.http.host_filter import host_filter
    from pkigen.serve.http.server import background, listen

    clock = utc_now if at is None else going_on_from(at)
    app = application(open_environment(folder), clock, live=live, passphrases=passphrases)
    app = host_filter(only_for, app) if only_for else app
    log = logging.getLogger(__name__).warning
    upkeep = Upkeep(folder, clock, log, passphrases)
    port_switch = None if live is None else live.port_switch
    with listen(host, port) as listener, crl_upkeep(upkeep, log), background(app, listener, port_switch):
        yield listener.url


@contextmanager
def serve_tls(
    folder: str | Path, *, host: str = "127.0.0.1", port: int = 0, passphrases: Sequence[bytes] = ()
) -> Iterator[str]:
    """Present every certificate of the environment in ``folder`` for the duration of the ``with`` block.

    Yields the URL of the endpoint, e.g. ``https://127.0.0.1:49152``; the requested host name selects the
    certificate. ``passphrases`` decrypt the keys of the profile. Raises the same errors as ``serve``.
    """
    from pkigen.serve.http.server import listen
    from pkigen.serve.tls.case_selection import CaseSelector
    from pkigen.serve.tls.server import background

    selector = CaseSelector(Path(folder), passphrases)
    selector.cases()
    with listen(host, port, "https") as listener, background(selector, listener):
        yield listener.url
