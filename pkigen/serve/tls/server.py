"""Sockets for TLS sessions: many concurrent connections with a time limit each."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pkigen.serve.http.server import Listener
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.session import Session

_MOST_CONNECTIONS = 256
_CONNECTION_SECONDS = 20.0
_SLOW_SECONDS = 300.0
_SECONDS_PER_BYTE = 1.0
_LINGER_SECONDS = 1.0
_READ_BYTES = 16 * 1024

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
class Endpoints:
    """The TLS endpoints of an environment on one socket."""

    selector: CaseSelector
    _connections: set[asyncio.Task[None]] = field(default_factory=set)
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
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def stop(self) -> None:
        """Stop ``run`` from another thread."""
        self._started.wait()
        assert self._loop is not None
        with suppress(RuntimeError):  # The loop has already ended.
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(task)
        session = Session(self.selector.at(str(writer.get_extra_info("sockname")[0])))
        try:
            async with asyncio.timeout(_CONNECTION_SECONDS) as limit:
                await self._converse(session, reader, writer, limit)
        except TimeoutError:
            session.outcome = "timed out"
        except OSError:
            session.outcome += "; the connection was reset"
        except asyncio.CancelledError:
            # Raised by run, which waits for this task but ignores its result.
            session.outcome = session.outcome if session.done else "was open when the server stopped"
        except Exception as error:  # noqa: BLE001  one client must not affect the others
            session.outcome = f"server error: {type(error).__name__}"
        finally:
            writer.transport.abort()
            self._connections.discard(task)
            log.info("%s", _line(writer, session))

    async def _converse(
        self,
        session: Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: asyncio.Timeout,
    ) -> None:
        """Read and write until the session is done, then wait until the client has read the rest."""
        while not session.done and (data := await reader.read(_READ_BYTES)):
            # Reading files and signing with a long key must not block the other connections.
            output = await asyncio.to_thread(session.receive, data)
            if session.slow:
                limit.reschedule(asyncio.get_running_loop().time() + _SLOW_SECONDS)
            for piece in _pieces(output, session):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(_SECONDS_PER_BYTE if session.slow else 0)
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
