"""A TLS port whose certificate can be changed while it runs."""

from __future__ import annotations

import ssl
from typing import Any

from pkigen.serve.server import Listener


class Endpoint:
    """A listener, and the context of connections to it: each is presented the credential of its time."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.context = _Current(ssl.PROTOCOL_TLS_SERVER)

    def present(self, context: ssl.SSLContext) -> None:
        """From the next connection on."""
        self.context.current = context


class _Current(ssl.SSLContext):
    """Stands for another context, which may change between two connections.

    Not by a callback for SNI: sessions are a context's own, and one of before would be resumed with the
    certificate of before.
    """

    current: ssl.SSLContext

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """TLS for one connection, as servers of asyncio ask for it."""
        return self.current.wrap_bio(*args, **kwargs)
