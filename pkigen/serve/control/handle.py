"""The handle of a running server, for programs that inject faults."""

from __future__ import annotations

from pkigen.serve.control.request_log import Request
from pkigen.serve.control.runtime_faults import RuntimeFaults


class ServerHandle:
    """A running server at ``url``: injects faults and returns the requests it has received."""

    def __init__(self, url: str, live: RuntimeFaults) -> None:
        self.url = url
        self._live = live

    def fault(self, *, id: str, of: str = "", url: str = "", **arguments: str) -> None:  # noqa: A002
        """Answer wrong from the next request on: a fault of the catalogue, by its id.

        ``of`` is the authority whose CRL, certificate or OCSP answers it is about, ``url`` a URL or a path;
        neither means the whole server. ``arguments`` are the fault's parameters: ``by="2d"``. It takes the
        place of the fault that was there. InputError says why it cannot be.
        """
        self._live.put({id: arguments} if arguments else id, of=of, url=url)

    def clear(self, *, of: str = "", url: str = "") -> None:
        """Answer right again: for an authority, at a URL, or everywhere. Faults of the profile stay."""
        self._live.clear(of=of, url=url)

    def requests(self, *, since: int = 0, wait: float = 0.0) -> list[Request]:
        """The requests after number ``since``, of the last thousand, as soon as there is one.

        ``wait`` are the seconds after which there are none.
        """
        return self._live.journal.wait(since, wait)

    def refresh(self, of: str = "") -> None:
        """Publish new CRLs of an authority, or of all. InputError when that cannot be."""
        self._live.refresh(of)
