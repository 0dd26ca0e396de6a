"""A connection that counts from its first packet, not from the end of its TLS handshake.

asyncio's own TLS servers report a connection after its handshake. Until then it cannot be limited, and it
stays open when the server stops.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

_HANDSHAKE_SECONDS = 10.0


class AcceptedConnection(asyncio.Protocol):
    """A connection that performs the TLS handshake itself, in 10 s at most; without a context it has none.

    Subclasses get the calls ``accepted``, ``established``, ``received`` and ``ended``.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._transport = cast("asyncio.Transport", None)
        self._handshake: asyncio.Task[None] | None = None
        self._early_data = list[bytes]()
        self.is_established = False
        """Whether the TLS handshake, if any, is complete."""
        self.closed = asyncio.Event()

    def accepted(self) -> None:
        """Process the TCP connection, before the handshake."""

    def established(self, transport: asyncio.Transport) -> None:
        """Process the end of the handshake; ``transport`` encrypts."""

    def received(self, data: bytes) -> None:
        """Process data, after the handshake."""

    def ended(self, exc: Exception | None) -> None:
        """Process the end of the connection; it may precede ``established``."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self.accepted()
        if self._context is None:
            self._establish(self._transport)
        else:
            self._handshake = asyncio.get_running_loop().create_task(self._start_tls(self._context))

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        transport: asyncio.Transport | None = None
        try:
            if not self._transport.is_closing():
                # None if the raw transport was closed meanwhile.
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, self, context, server_side=True, ssl_handshake_timeout=_HANDSHAKE_SECONDS
                )
        except OSError:
            pass
        finally:
            self._handshake = None
            if transport is None:
                self._transport.abort()
                self._end(None)
        if transport is None:
            return
        self._transport = transport
        if self.closed.is_set():
            transport.abort()
        else:
            self._establish(transport)

    def _establish(self, transport: asyncio.Transport) -> None:
        self.is_established = True
        self.established(transport)
        for data in self._early_data:
            self.received(data)
        self._early_data.clear()

    def data_received(self, data: bytes) -> None:
        """Pass data on; it can arrive decrypted with the last message of the handshake."""
        if self.is_established:
            self.received(data)
        else:
            self._early_data.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection."""
        self._end(exc)

    def _end(self, exc: Exception | None) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self.ended(exc)

    def abort(self) -> None:
        """Close immediately."""
        self._transport.abort()


async def stop_accepting(servers: Iterable[asyncio.Server]) -> None:
    """Stop accepting connections, so that the listening sockets can be closed.

    asyncio loses a connection that it has accepted but not yet given a transport when the listener closes
    (CPython issue 109564): the client waits until it times out, and the socket is never closed.
    """
    loop = asyncio.get_running_loop()
    for listening in [sock for server in servers for sock in server.sockets]:
        with suppress(NotImplementedError):  # the event loop of Windows
            loop.remove_reader(listening)
    # A connection that was accepted in this iteration gets its transport in the next one.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def wait_until_closed(connections: Iterable[AcceptedConnection]) -> None:
    """Wait until these connections, which were aborted, have closed their sockets."""
    for connection in connections:
        await connection.closed.wait()
    # A transport closes its socket after it has reported the end of the connection.
    await asyncio.sleep(0)
