"""TLS client: connects, validates the certificate of the peer, and only then sends data.

Uses pyOpenSSL, because the ssl module cannot validate at a given time and does not report which
certificate of the path caused the failure.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from threading import Thread
from typing import Any, TypeVar

import h11
from OpenSSL import SSL, crypto

from pkigen.inspection.path import PathProblem
from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.downloader import Downloader
from pkigen.lab.timing import CancelToken
from pkigen.os_errors import os_error_reason
from pkigen.x509 import Certificate, Malformed

SECONDS = 10.0
"""Timeout in seconds for the handshake, and again for sending data."""
_GOODBYE_SECONDS = 2.0
_MOST_ANSWERED = 1024 * 1024
_PART = 65536
_LOOK_SECONDS = 0.2
"""Interval in seconds between two checks whether the lab stops."""

Answer = TypeVar("Answer")


class ValidationError(Exception):
    """The certificate of the peer failed validation; contains the errors and the path."""

    def __init__(self, problems: tuple[PathProblem, ...], path: tuple[Certificate, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
        self.path = path


class ConnectError(Exception):
    """The connection failed, or the peer violated TLS or HTTP."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: the host name for its certificate, and its address."""

    host: str
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class ValidationPolicy:
    """How to validate a peer: trust anchors, evaluation time, and CRL lookup.

    If not ``mandatory``, the connection continues and the errors are reported.
    """

    anchors: tuple[Certificate, ...]
    at: datetime
    get: Callable[[str], bytes]
    mandatory: bool = True


@contextmanager
def connect(
    peer: Peer, policy: ValidationPolicy, cancel_token: CancelToken, seconds: float = SECONDS
) -> Iterator[Channel]:
    """Connect for the duration of the block. Raise ValidationError, or ConnectError (also on shutdown)."""
    with _connect_socket(peer.address, cancel_token, seconds) as sock:
        sock.setblocking(False)
        connection = SSL.Connection(_context(), sock)
        _set_server_name(connection, peer.host)
        connection.set_connect_state()
        channel = Channel(connection, sock, peer, cancel_token)
        channel.allow(seconds)
        channel.handshake()
        channel.problems, channel.path = validate_peer(channel.presented(), peer.host, policy)
        # The deadline of the peer does not include the time of CRL servers.
        channel.allow(seconds)
        if channel.problems and policy.mandatory:
            raise ValidationError(channel.problems, channel.path)
        yield channel
        channel.close()


def _connect_socket(address: tuple[str, int], cancel_token: CancelToken, seconds: float) -> socket.socket:
    """Connect a socket."""
    answer = Future[socket.socket]()

    def work() -> None:
        try:
            sock = socket.create_connection(address, seconds)
        except (OSError, UnicodeError) as error:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(error)
            return
        if answer.set_running_or_notify_cancel():
            answer.set_result(sock)
        else:
            sock.close()

    # Name resolution has no timeout, and connecting cannot be cancelled.
    Thread(target=work, name="pkigen-connect", daemon=True).start()
    where = f"cannot connect to {address[0]} port {address[1]}"
    try:
        return cancel_token.wait_for(answer, seconds)
    except TimeoutError as error:
        if not answer.cancel() and answer.exception() is None:
            answer.result().close()
        raise ConnectError(f"{where}: timed out") from error
    except UnicodeError as error:
        raise ConnectError(f"{where}: invalid host name") from error
    except OSError as error:
        raise ConnectError(f"{where}: {os_error_reason(error)}") from error


def validate_peer(
    presented: tuple[Certificate, ...], host: str, policy: ValidationPolicy
) -> tuple[tuple[PathProblem, ...], tuple[Certificate, ...]]:
    """Validate a path for a host: trust, dates, CRLs, name; return the errors and the path."""
    leaf, intermediates = presented[0], presented[1:]
    result = validate_online(
        leaf,
        intermediates,
        policy.anchors,
        CrlRetriever(Downloader(get=policy.get).get),
        at=policy.at,
        host=host,
        purpose="server",
    )
    return result.problems, result.path or presented


@cache
def _context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    context.set_verify(SSL.VERIFY_NONE)
    return context


def _set_server_name(connection: SSL.Connection, host: str) -> None:
    """Send the server name (RFC 6066, 3) unless the host is an address."""
    try:
        ip_address(host)
    except ValueError:
        connection.set_tlsext_host_name(host.encode("ascii", "replace"))


class Channel:
    """A TLS connection to a peer; ``problems`` are its validation errors."""

    def __init__(
        self, connection: SSL.Connection, sock: socket.socket, peer: Peer, cancel_token: CancelToken
    ) -> None:
        self.problems: tuple[PathProblem, ...] = ()
        self.path: tuple[Certificate, ...] = ()
        self._connection = connection
        self._socket = sock
        self._deadline = 0.0
        self._peer = peer
        self._ending = cancel_token

    def allow(self, seconds: float) -> None:
        """Set the deadline for the peer."""
        self._deadline = time.monotonic() + seconds

    def handshake(self) -> None:
        """Perform the TLS handshake; ConnectError if it fails."""
        self._retry_io(self._connection.do_handshake)

    def presented(self) -> tuple[Certificate, ...]:
        """Return the presented certificates, at least one."""
        chain = self._connection.get_peer_cert_chain() or []
        try:
            ders = (crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in chain)
            certificates = tuple(map(Certificate, ders))
        except (Malformed, crypto.Error) as error:
            raise ConnectError(f"cannot read the certificate of {self._peer.host}: {error}") from error
        if not certificates:
            raise ConnectError(f"{self._peer.host} presents no certificate")
        return certificates

    def send(self, data: bytes) -> None:
        """Send all data."""
        view = memoryview(data)
        while view:
            view = view[self._retry_io(self._connection.send, bytes(view[:_PART])) :]

    def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, bytes]:
        """Perform one HTTP/1.1 exchange (RFC 9112); return status and body of the response."""
        session, host = h11.Connection(h11.CLIENT), self._peer.host
        sent = {
            "Host": f"{f'[{host}]' if ':' in host else host}:{self._peer.address[1]}",
            "Connection": "close",
            "Content-Length": str(len(body)),
            **headers,
        }
        parts = [session.send(h11.Request(method=method, target=target, headers=list(sent.items())))]
        parts += [session.send(h11.Data(data=body)), session.send(h11.EndOfMessage())]
        self.send(b"".join(part for part in parts if part))
        try:
            return self._answer(session)
        except h11.RemoteProtocolError as error:
            raise ConnectError(f"{self._peer.host} sent an invalid HTTP response: {error}") from error

    def _answer(self, session: h11.Connection) -> tuple[int, bytes]:
        status, body = 0, bytearray()
        while True:
            event = session.next_event()
            if event is h11.NEED_DATA:
                session.receive_data(self._retry_io(self._connection.recv, _PART, end=b""))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _MOST_ANSWERED:
                    raise ConnectError(f"the response of {self._peer.host} exceeds {_MOST_ANSWERED:,} bytes")
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return status, bytes(body)

    def finish(self) -> None:
        """Close the connection in both directions; ConnectError if the peer did not accept the data.

        A TLS 1.3 server may reject the client certificate only after the client has sent data.
        """
        self.allow(_GOODBYE_SECONDS)
        self._retry_io(self._connection.shutdown)
        try:
            while self._retry_io(self._connection.recv, _PART, end=b""):
                continue
        except ConnectError as error:
            cause = error.__cause__
            # Many peers close without close_notify (RFC 8446, 6.1), or send it late.
            if cause is not None and not _is_end(cause):
                raise

    def close(self) -> None:
        """Send close_notify without waiting for the peer."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return

    def _retry_io(self, step: Callable[..., Answer], *arguments: Any, end: Answer | None = None) -> Answer:
        """Retry a TLS operation until it succeeds or the deadline has passed."""
        while True:
            try:
                return step(*arguments)
            except SSL.WantReadError:
                self._wait(selectors.EVENT_READ)
            except SSL.WantWriteError:
                self._wait(selectors.EVENT_WRITE)
            except SSL.ZeroReturnError:
                if end is not None:
                    return end
                raise ConnectError(f"{self._peer.host} closed the connection") from None
            except SSL.Error as error:
                raise ConnectError(f"{self._peer.host}: {_openssl_message(error)}") from error

    def _wait(self, what: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, what)
            while not selector.select(min(_LOOK_SECONDS, max(0.0, self._deadline - time.monotonic()))):
                if self._ending.is_cancelled or time.monotonic() >= self._deadline:
                    raise ConnectError(f"{self._peer.host} did not respond in time")


def _is_end(error: BaseException) -> bool:
    """Whether a connection was closed without close_notify."""
    return "unexpected eof" in str(error).lower()


def _openssl_message(error: SSL.Error) -> str:
    """Return OpenSSL's message for a failed connection."""
    errors = error.args[0] if error.args else ""
    if isinstance(errors, list) and errors:
        return f"TLS failed: {errors[0][-1]}"
    return "the connection was closed unexpectedly"
