"""The lab's CRL server, and the HTTP proxy in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pkigen.environment.crl.upkeep import Upkeep
from pkigen.environment.environment import Environment
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.inspection.path.http_fetch import FetchError, fetch
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.crl_upkeep import crl_upkeep
from pkigen.serve.http.server import background, listen


class CrlServer:
    """The CRL server; ``url`` is the URL in certificates, ``stopped`` means that its port is closed.

    ``here`` is its URL on this machine, even if the host name in ``url`` resolves to another one.
    """

    def __init__(self, url: str, here: str, live: RuntimeFaults, upkeep: Upkeep) -> None:
        self.url = url
        self.here = here
        self.stopped = False
        self._live = live
        self._upkeep = upkeep

    def stop(self) -> None:
        """Refuse connections."""
        self._live.port_switch.set(shut=True)
        self.stopped = True

    def start(self) -> None:
        """Accept connections again."""
        self._live.port_switch.set(shut=False)
        self.stopped = False

    def renew(self) -> None:
        """Publish the CRLs that are due at the current clock, unless the server is stopped."""
        self._upkeep.run()


@contextmanager
def crl_server(
    environment: Environment,
    host: str,
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
    passphrases: Sequence[bytes] = (),
) -> Iterator[CrlServer]:
    """Run the CRL server for the duration of the block, on the port of the base URL.

    ``passphrases`` decrypt the CA keys that sign CRLs. InputError if the base URL is not plain HTTP,
    EnvironmentFailure if the port is in use.
    """
    from pkigen.serve.http.app import application

    base_url = environment.base_url
    parts = urlsplit(base_url)
    if parts.scheme != "http":
        raise InputError(f"base_url is {base_url}; the CRL server of a lab requires an http URL")
    live = RuntimeFaults(environment.folder, clock, passphrases)
    upkeep = Upkeep(environment.folder, clock, tell, passphrases)
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(listen(host, parts.port or 80, option="base_url"))
        except EnvironmentFailure as error:
            words = str(error).partition(". Choose")[0]
            raise EnvironmentFailure(
                f"{words}. Every certificate names this address as its CRL server: change base_url in "
                "the profile, or stop the program that uses the port"
            ) from error
        stack.enter_context(crl_upkeep(Upkeep(environment.folder, clock, tell, passphrases), tell))
        served = application(environment, clock, live=live, passphrases=passphrases)
        # The appliances have stopped before, so that no request needs to finish.
        stack.enter_context(background(served, listener, live.port_switch, grace=0))
        yield CrlServer(base_url, listener.url, live, upkeep)


def proxy(base_url: str, there: str) -> Starlette:
    """Return a proxy that forwards GET requests below ``base_url`` and rejects all others.

    ``there`` is the URL of the CRL server on this machine.
    """
    allowed = urlsplit(base_url).netloc

    async def forward(request: Request) -> Response:
        if request.headers.get("host", "").lower() != allowed.lower():
            return PlainTextResponse("403 This proxy forwards only to the CRL server.\n", 403)
        url = there + request.scope["raw_path"].decode("ascii", "replace")
        try:
            data = await run_in_threadpool(fetch, url)
        except FetchError as error:
            return PlainTextResponse(f"502 {error}\n", 502)
        return Response(data, media_type="application/pkix-crl")

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET"])])
