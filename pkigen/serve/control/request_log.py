"""Ring buffer of recent requests, with blocking wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Condition

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULT = "pkigen.fault"
"""Key of the fault ID in the ASGI scope of a request."""

_MOST_KEPT = 1000
_LONGEST_PATH = 512


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its ``number`` (from 1) and the ID of the ``fault`` in its response.

    ``path`` includes the query. ``status`` is 0 if the connection was closed without a response.
    """

    number: int
    time: datetime
    method: str
    path: str
    status: int
    fault: str | None


class RequestLog:
    """Stores the last thousand requests; one thread writes, others read."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._requests = deque[Request](maxlen=_MOST_KEPT)
        self._last = 0
        self._waiting = set[Callable[[], object]]()

    @property
    def last(self) -> int:
        """The number of the last request, 0 before the first."""
        return self._last

    def note(self, scope: Scope, status: int) -> None:
        """Store a request."""
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path += "?" + scope["query_string"].decode("latin-1")
        instant, fault = datetime.now(UTC), scope.get(FAULT)
        with self._changed:
            self._last += 1
            request = Request(self._last, instant, scope["method"], path[:_LONGEST_PATH], status, fault)
            self._requests.append(request)
            self._changed.notify_all()
            waiting, self._waiting = self._waiting, set()
        for wake in waiting:
            wake()

    def since(self, number: int) -> list[Request]:
        """Return the stored requests after a number."""
        with self._changed:
            return [one for one in self._requests if one.number > number]

    def wait(self, number: int, seconds: float) -> list[Request]:
        """Return the requests after a number as soon as there is one, or none after a timeout in seconds."""
        ends = time.monotonic() + seconds
        with self._changed:
            while self._last <= number and (left := ends - time.monotonic()) > 0:
                self._changed.wait(left)
        return self.since(number)

    async def come(self, number: int, seconds: float) -> list[Request]:
        """Like ``wait``, in an event loop, which may run in another thread than the writer."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # The loop may have ended with its server.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

        try:
            async with asyncio.timeout(seconds):
                while not self._is_after(number, wake):
                    await event.wait()
                    event.clear()
        except TimeoutError:
            pass
        finally:
            with self._changed:
                self._waiting.discard(wake)
        return self.since(number)

    def _is_after(self, number: int, wake: Callable[[], object]) -> bool:
        """Whether there is a request after a number; if not, the next one calls ``wake``."""
        with self._changed:
            if self._last <= number:
                self._waiting.add(wake)
            return self._last > number


class RequestLogMiddleware:
    """Middleware that logs each request before the end of its response is sent.

    A client that has the whole response therefore finds it in the log. Truncated responses are logged
    afterwards.
    """

    def __init__(self, app: ASGIApp, journal: RequestLog) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, done = 0, False

        async def noted(message: Message) -> None:
            nonlocal status, done
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not done and not message.get("more_body", False):
                done = True
                self._journal.note(scope, status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if not done:
                self._journal.note(scope, status)
