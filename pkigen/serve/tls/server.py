"""Sockets for sessions: many at once, each for a bounded time, none in another's way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pkigen.serve.http.server import Listener
from pkigen.serve.tls.case_selection import Directory
from pkigen.serve.tls.session import Session

_MOST_CONNECTIONS = 256
_CONNECTION_SECONDS = 20.0
_SLOW_SECONDS = 300.0
_OCTET_SECONDS = 1.0
_LINGER_SECONDS = 1.0
_READ_OCTETS = 16 * 1024

log = logging.getLogger("pkigen.serve.tls")


@contextmanager
def background(directory: Directory, listener: Listener) -> Iterator[None]:
    """Serve in a thread until the block is left, in whatever way it is."""
    endpoints = Endpoints(directory)
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
    """The TLS endpoints of a directory on one socket."""

    directory: Directory
    _held: set[asyncio.Task[None]] = field(default_factory=set)
    _begun: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, listener: Listener) -> None:
        """Accept connections until ``stop``; those that are open then are closed."""
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        server = await asyncio.start_server(self._accept, sock=listener.socket.dup())
        async with server:
            await self._over.wait()
            server.close()
            for task in self._held:
                task.cancel()
            await asyncio.gather(*self._held, return_exceptions=True)

    def stop(self) -> None:
        """End ``run``, from another thread."""
        self._begun.wait()
        assert self._loop is not None
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._over.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._held) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._held.add(task)
        session = Session(self.directory.at(str(writer.get_extra_info("sockname")[0])))
        try:
            async with asyncio.timeout(_CONNECTION_SECONDS) as limit:
                await self._converse(session, reader, writer, limit)
        except TimeoutError:
            session.outcome = "took too long"
        except OSError:
            session.outcome += ": the connection broke"
        except asyncio.CancelledError:
            # By run, which waits for this task alone and not for what it brings.
            session.outcome = session.outcome if session.done else "was open at the end"
        except Exception as error:  # noqa: BLE001  whatever one client brings about, the others go on
            session.outcome = f"failed here: {type(error).__name__}"
        finally:
            writer.transport.abort()
            self._held.discard(task)
            log.info("%s", _line(writer, session))

    async def _converse(
        self,
        session: Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: asyncio.Timeout,
    ) -> None:
        """Read and write until the session is done, then let the client read the rest."""
        while not session.done and (data := await reader.read(_READ_OCTETS)):
            # Reading files and signing with a long key take their time: others go on meanwhile.
            answer = await asyncio.to_thread(session.receive, data)
            if session.slow:
                limit.reschedule(asyncio.get_running_loop().time() + _SLOW_SECONDS)
            for piece in _pieces(answer, session):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(_OCTET_SECONDS if session.slow else 0)
        # To close on octets that were not read would take what was sent away from the client.
        with suppress(OSError, TimeoutError):
            writer.write_eof()
            async with asyncio.timeout(_LINGER_SECONDS):
                while await reader.read(_READ_OCTETS):
                    pass


def _pieces(answer: bytes, session: Session) -> list[bytes]:
    """What is written at once: all there is, or one octet."""
    return [bytes((octet,)) for octet in answer] if session.slow else [answer]


def _line(writer: asyncio.StreamWriter, session: Session) -> str:
    """Who asked for what, and what became of it. Names are the client's: they are shown as text."""
    peer = writer.get_extra_info("peername") or ("?", 0)
    asked = ascii(session.name)[1:-1] if session.name is not None else "no name"
    credential = session.credential
    shown = f" {credential.case.name}" if credential else ""
    note = f" (its key: {credential.note})" if credential and credential.note else ""
    return f"{peer[0]}:{peer[1]} TLS {asked}{shown}: {session.outcome}{note}"
