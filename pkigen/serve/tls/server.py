"""Sockets for TLS sessions: many concurrent connections with a time limit each."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pkigen.serve.http.server import Listener
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.codec import AlertDescription
from pkigen.serve.tls.session import Session

_MAX_CONNECTIONS = 256
_MAX_CONNECTIONS_PER_CLIENT = 128
_HANDSHAKE_SECONDS = 10.0
_CONNECTION_SECONDS = 20.0
_SLOW_SECONDS = 300.0
_SECONDS_PER_BYTE = 1.0
_LINGER_SECONDS = 1.0
_READ_BYTES = 16 * 1024
# An alert in plaintext, for a client that gets no session.
_REFUSAL = b"\x15\x03\x03\0\x02" + bytes((2, AlertDescription.INTERNAL_ERROR))

log = logging.getLogger("pkigen.serve.tls")


@contextmanager
def background(selector: CaseSelector, listener: Listener) -> Iterator[None]:
    """Serve in a thread until the block ends."""
    endpoints = Endpoints(selector)
    thread = threading.Thread(
        target=lambda: asyncio.run(endpoints.run(listener)), name="pkigen-serve-tls", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        endpoints.stop()
        thread.join()


@dataclass
class Connection:
    """An open connection; ``idle_since`` is None while the server works for it."""

    host: str
    session: Session
    writer: asyncio.StreamWriter
    task: asyncio.Task[None]
    idle_since: float | None

    def notify(self, outcome: str) -> None:
        """End the session with close_notify."""
        if alert := self.session.close(outcome):
            self.writer.write(alert)

    def close(self, outcome: str) -> None:
        """End the session with close_notify, and the connection."""
        self.notify(outcome)
        self.task.cancel()


@dataclass
class Endpoints:
    """The TLS endpoints of an environment on one socket.

    A connection has 10 s for the handshake, and 20 s for its request. If the client address has 128 open
    connections, or the socket 256, the one that has been idle for the longest time is closed in favor of a
    new one; without an idle one, the new one is refused.
    """

    selector: CaseSelector
    _connections: list[Connection] = field(default_factory=list)
    _started: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, listener: Listener) -> None:
        """Accept connections until ``stop``, then close the open ones."""
        self._loop = asyncio.get_running_loop()
        self._started.set()
        server = await asyncio.start_server(self._accept, sock=listener.socket.dup())
        async with server:
            await self._stopped.wait()
            server.close()
            tasks = [connection.task for connection in self._connections]
            for connection in list(self._connections):
                connection.close("was open when the server stopped")
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Stop ``run`` from another thread."""
        self._started.wait()
        assert self._loop is not None
        with suppress(RuntimeError):  # The loop has already ended.
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        host = str((writer.get_extra_info("peername") or ("?",))[0])
        session = Session(self.selector.at(str(writer.get_extra_info("sockname")[0])))
        connection = Connection(host, session, writer, task, time.monotonic())
        if not self._make_room(host):
            session.outcome = f"refused: all of the {len(self._connections)} open connections are active"
            writer.write(_REFUSAL)
            writer.transport.close()
            log.warning("%s", _line(writer, session))
            return
        self._connections.append(connection)
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS) as limit:
                await self._converse(connection, reader, limit)
        except TimeoutError:
            phase = "without a request" if session.is_established else "during the handshake"
            connection.notify(f"timed out {phase}")
        except OSError:
            session.outcome += "; the connection was reset"
        except asyncio.CancelledError:
            pass  # Raised by Connection.close; run waits for this task but ignores its result.
        except Exception as error:  # noqa: BLE001  one client must not affect the others
            session.outcome = f"server error: {type(error).__name__}"
        finally:
            writer.transport.abort()
            self._connections.remove(connection)
            log.info("%s", _line(writer, session))

    def _make_room(self, host: str) -> bool:
        """Enforce the limits before a new connection; return False if no connection is idle."""
        same = [one for one in self._connections if one.host == host]
        for rivals, limit in ((same, _MAX_CONNECTIONS_PER_CLIENT), (self._connections, _MAX_CONNECTIONS)):
            # A connection that is being closed stays in the list until its task has run.
            rivals = [one for one in rivals if not one.task.cancelling()]
            if len(rivals) < limit:
                continue
            idle = [one for one in rivals if one.idle_since is not None]
            if not idle:
                return False
            oldest = min(idle, key=lambda one: one.idle_since or 0.0)
            oldest.close(f"idle, closed for a new connection from {host} (limit {limit})")
        return True

    async def _converse(
        self, connection: Connection, reader: asyncio.StreamReader, limit: asyncio.Timeout
    ) -> None:
        """Read and write until the session is done, then wait until the client has read the rest."""
        session, writer = connection.session, connection.writer
        loop = asyncio.get_running_loop()
        while not session.done and (data := await reader.read(_READ_BYTES)):
            connection.idle_since = None
            if session.credential is None:
                # Reading files and signing with a long key must not block the other connections.
                output = await asyncio.to_thread(session.receive, data)
            else:
                output = session.receive(data)
            if session.slow:
                limit.reschedule(loop.time() + _SLOW_SECONDS)
            elif session.is_established:
                limit.reschedule(loop.time() + _CONNECTION_SECONDS)
            for piece in _pieces(output, session):
                writer.write(piece)
                await writer.drain()
                if session.slow:
                    await asyncio.sleep(_SECONDS_PER_BYTE)
            connection.idle_since = time.monotonic()
        session.done = True
        # Closing a socket with unread input would reset the connection and discard the output.
        with suppress(OSError, TimeoutError):
            writer.write_eof()
            async with asyncio.timeout(_LINGER_SECONDS):
                while await reader.read(_READ_BYTES):
                    pass


def _pieces(output: bytes, session: Session) -> list[bytes]:
    """Split the output into single bytes if the session is slow."""
    return [bytes((byte,)) for byte in output] if session.slow else [output]


def _line(writer: asyncio.StreamWriter, session: Session) -> str:
    """Return the log line of a session; the name from the client is escaped."""
    peer = writer.get_extra_info("peername") or ("?", 0)
    name = ascii(session.name)[1:-1] if session.name is not None else "no name"
    credential = session.credential
    case = f" {credential.case.name}" if credential else ""
    note = f" (key file: {credential.note})" if credential and credential.note else ""
    return f"{peer[0]}:{peer[1]} TLS {name}{case}: {session.outcome}{note}"
