"""A TLS port whose certificate can be changed while it runs."""

from __future__ import annotations

import ssl

from pkigen.lab.credential import base_context
from pkigen.serve.server import Listener


class Endpoint:
    """A listener, and the context of connections to it: each is presented the credential of its time."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.context = base_context()
        self._current: ssl.SSLContext | None = None
        self.context.sni_callback = self._choose

    def present(self, context: ssl.SSLContext) -> None:
        """From the next connection on."""
        self._current = context

    def _choose(self, connection: ssl.SSLObject, _host: str | None, _context: ssl.SSLContext) -> None:
        if self._current is not None:
            connection.context = self._current
