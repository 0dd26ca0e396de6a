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
        """Set a fault of the catalog, by its ID, from the next request on.

        ``of`` is the authority whose CRL, certificate or OCSP responses have the fault, ``url`` a URL or
        path; without either it is a fault of the whole server. ``arguments`` are its parameters: ``by="2d"``.
        It replaces an earlier fault of the same part. Raises InputError if it is impossible.
        """
        self._live.put({id: arguments} if arguments else id, of=of, url=url)

    def clear(self, *, of: str = "", url: str = "") -> None:
        """Remove the faults of an authority, at a URL, or all; faults of the profile stay."""
        self._live.clear(of=of, url=url)

    def requests(self, *, since: int = 0, wait: float = 0.0) -> list[Request]:
        """Return the requests after number ``since``, of the last thousand, as soon as there is one.

        After ``wait`` seconds without a request the list is empty.
        """
        return self._live.journal.wait(since, wait)

    def refresh(self, of: str = "") -> None:
        """Publish new CRLs of an authority, or of all; InputError if that is impossible."""
        self._live.refresh(of)
