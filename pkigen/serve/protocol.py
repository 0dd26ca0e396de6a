"""HTTP/1.1 on one connection, bounded in every way that a client could use to take more than its share."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pkigen.serve.access import AccessLog
from pkigen.serve.gathering import Gathered

_MOST_CONNECTIONS = 256
# More than these are told so, as long as that takes no more than as many again.
_MOST_SURPLUS = 256
_MOST_HEADER_OCTETS = 16 * 1024
_MOST_OCTETS = 1024 * 1024
_CONNECTION_SECONDS = 60.0
_SURPLUS_SECONDS = 2.0
_LINGER_SECONDS = 5.0
_MOST_DROPPED = 32 * 1024 * 1024
# Requests that a client sent without waiting for answers: what is parsed at a time, and when to stop.
_SLICE = 2048
_MOST_WAITING = 16
_MOST_UNPARSED = 1024 * 1024

_OPEN: dict[tuple[object, object], asyncio.Transport] = {}
"""The connections by both ends' addresses and ports: one process may have several servers."""
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


def hang_up(scope: Scope, *, reset: bool, last_words: bytes = b"") -> bool:
    """End a request's connection in the middle: with a reset, or once what was written is sent.

    ``last_words`` go before the end, past HTTP. False when there is no such connection.
    """
    transport = _OPEN.get((scope["client"], scope["server"]))
    if transport is None:
        return False
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        transport.abort()
    else:
        transport.write(last_words)
        transport.close()
    return True


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the bounds that its parser has not.

    - The header section: 431 past 16 KiB (RFC 6585, 5). All of a request: 413 past 1 MiB. What a client
      goes on to send then is dropped for five seconds, up to 32 MiB, so that it gets to read why.
    - A connection: a minute. What is being answered then has another one; a client that dawdles has none,
      and one between two requests is told with the next answer.
    - Connections: the 257th and those after it get 503 for whatever they ask, within two seconds, and do
      not disturb those before them; past 512 they are closed unheard.
    - Requests in advance: they wait as octets, unparsed, and nothing more is read until they are answered.

    ``log`` gets a line for each request; what is not HTTP gets none. ``most`` is another bound than 1 MiB:
    who refuses large bodies in words of his own needs some room above his.
    """

    def __init__(
        self, *args: Any, log: AccessLog | None = None, most: int = _MOST_OCTETS, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._log = log
        self._most = most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or send away."""
        super().connection_made(transport)
        self._octets = 0
        self._under_way = self._in_header = self._deaf = self._is_last = False
        self._unparsed = bytearray()
        self._peer = self.client, self.server
        _OPEN[self._peer] = transport
        self._ends = list[asyncio.TimerHandle]()
        surplus = len(self.connections) - _MOST_CONNECTIONS
        if surplus > _MOST_SURPLUS:
            transport.abort()
        elif surplus > 0:
            self.app = _full
            self._ends.append(self.loop.call_later(_SURPLUS_SECONDS, transport.abort))
        else:
            # Who is being answered is let finish; aborting frees us of one who does not read it.
            self._ends.append(self.loop.call_later(_CONNECTION_SECONDS, self._end_gently))
            self._ends.append(self.loop.call_later(2 * _CONNECTION_SECONDS, transport.abort))

    def connection_lost(self, exc: Exception | None) -> None:
        """Free what the connection held."""
        for end in self._ends:
            end.cancel()
        if _OPEN.get(self._peer) is self.transport:
            del _OPEN[self._peer]
        self._unparsed.clear()
        self.pipeline.clear()
        super().connection_lost(exc)

    def _end_gently(self) -> None:
        """The time is up: one who is between two requests is told with the next answer.

        Closing just there would cut off whatever is on its way. Who sends no more is closed for being idle.
        """
        cycle = self.cycle
        between = cycle is not None and cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        if self._under_way or not between:
            self.shutdown()
        else:
            self._is_last = True

    def data_received(self, data: bytes) -> None:
        """Parse, as far as there are not too many requests waiting already."""
        if self._deaf:
            self._octets += len(data)
            if self._octets > _MOST_DROPPED:
                self.transport.abort()
            return
        if len(data) <= _SLICE and not self._unparsed:
            self._parse(data)
            return
        self._unparsed += data
        if len(self._unparsed) > _MOST_UNPARSED:
            self.transport.abort()
            return
        self._go_on()

    def _go_on(self) -> None:
        while self._unparsed and len(self.pipeline) < _MOST_WAITING and not self.transport.is_closing():
            data = bytes(self._unparsed[:_SLICE])
            del self._unparsed[:_SLICE]
            self._parse(data)
        if self._unparsed:
            self.flow.pause_reading()

    def _parse(self, data: bytes) -> None:
        """A slice. Counted here, since the parser tells nothing of a field before its end."""
        if self._under_way:
            self._octets += len(data)
            if self._in_header and self._octets > _MOST_HEADER_OCTETS:
                self._refuse(431, "Request Header Fields Too Large")
                return
            if self._octets > self._most:
                self._refuse(413, "Content Too Large")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._octets = 0
        self._under_way = self._in_header = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its header section has ended."""
        self._in_header = False
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """It has ended."""
        self._under_way = False
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        gathered: Any = Gathered(
            app, cycle, self._log
        )  # ASGI as Starlette types it is another type than uvicorn's
        super()._start_asgi_task(cycle, gathered)

    def on_response_complete(self) -> None:
        """Go on with what waits."""
        super().on_response_complete()
        if self._unparsed:
            self.loop.call_soon(self._go_on)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP: the parser's words help nobody."""
        self._refuse(400, "Bad Request")

    def _refuse(self, status: int, phrase: str) -> None:
        """Say why and close; while an earlier request is being answered, close after that."""
        self._deaf = True
        self._unparsed.clear()
        cycle = self.cycle
        idle = cycle is None or cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        its_own = self._under_way and not self._in_header and not self.pipeline
        if its_own and cycle.response_complete:
            self._linger()  # the answer was there before the end of the request
        elif idle or (its_own and not cycle.response_started):
            body = f"{status} {phrase}\n".encode("ascii")
            head = (
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
            self._linger()
        else:
            self.shutdown()

    def _linger(self) -> None:
        """Close once the client does, or has had time to read the answer (RFC 9112, 9.6).

        Closing at once what still sends would be a reset, and a reset takes the answer with it.
        """
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._ends.append(self.loop.call_later(_LINGER_SECONDS, self.transport.close))


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """What those get for whom there is no place."""
    headers = {"Connection": "close", "Retry-After": "1"}
    await PlainTextResponse("503 Service Unavailable\n", 503, headers)(scope, receive, send)
