"""A built environment over HTTP and TLS: what its certificates' URLs promise, and the certificates.

``serve`` and ``serve_tls`` are for programs; ``pkigen serve`` is the same in the foreground.
Importing this package costs nothing: Starlette and uvicorn come in when a server starts.
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
    """Serve the environment in ``folder`` for as long as the ``with`` block runs.

    Gives the server's URL without a trailing slash, e.g. ``http://127.0.0.1:49152``; ``port`` 0 is
    any free one. The server runs in a thread of this process and has ended when the block is left.
    It renews CRLs before they end; ``at`` is what its clock begins at, if not now. ``passphrases``
    open keys that the profile put under one.

    Raises InputError when the folder is no environment, EnvironmentFailure when it cannot listen.
    """
    with _serving(Path(folder), host, port, at, passphrases, None) as url:
        yield url


@contextmanager
def serve_as_proxy(
    folder: str | Path, *, host: str = "127.0.0.1", at: datetime | None = None
) -> Iterator[str]:
    """Serve at any free port as ``serve`` does, for clients that take this server for their HTTP proxy.

    Gives its address, e.g. ``127.0.0.1:49152``. Whatever ``base_url`` the environment has, its URLs answer
    through it; those of other servers get 502. Raises as ``serve`` does.
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
    """Serve as ``serve`` does, with faults that a program puts and takes away, and requests that it awaits.

    Gives an object with the ``url``::

        with serve_controlled("out/contoso-ot") as stub:
            stub.fault(of="ot-issuing", id="crl-http-500")
            ...
            stub.clear()

    Raises as ``serve`` does.
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
    """``only_for`` is the host, with its port, that requests have to name; none is as good as any."""
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
    """Present every certificate of the environment in ``folder`` as long as the ``with`` block runs.

    Gives the URL of the endpoints' address, e.g. ``https://127.0.0.1:49152``; which certificate a client
    gets is for the host name that it asks for to say. ``passphrases`` open keys that the profile put
    under one. Raises as ``serve`` does.
    """
    from pkigen.serve.http.server import listen
    from pkigen.serve.tls.case_selection import CaseSelector
    from pkigen.serve.tls.server import background

    selector = CaseSelector(Path(folder), passphrases)
    selector.cases()
    with listen(host, port, "https") as listener, background(selector, listener):
        yield listener.url
