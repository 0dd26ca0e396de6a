"""A TLS connection as a function of bytes: ClientHello, handshake, one HTTP exchange."""

from __future__ import annotations

from collections.abc import Callable

from pkigen.errors import PkigenError
from pkigen.serve.tls import tls12, tls13
from pkigen.serve.tls.client_hello import (
    ALPN,
    FALLBACK_SIGNAL,
    TLS_1_0,
    TLS_1_2,
    TLS_1_3,
    ClientHello,
    client_hello,
)
from pkigen.serve.tls.codec import Alert, AlertDescription, PeerAlert
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.http import PLAIN_HTTP_RESPONSE, PROTOCOLS, HttpExchange, page_as_html, page_as_text
from pkigen.serve.tls.record_protection import APPLICATION
from pkigen.serve.tls.records import RecordLayer, Waiting

_SSL_3_0 = 0x0300
_NAMES = {TLS_1_0: "TLS 1.0", TLS_1_2: "TLS 1.2", TLS_1_3: "TLS 1.3"}


class Session:
    """One connection: ``receive`` processes received bytes and returns the bytes to send.

    ``present`` selects the credential by host name; ``cached`` returns it if no long work is necessary.
    ``done`` marks the end, ``outcome`` describes the result for the log, and ``slow`` means that the output
    is sent byte by byte. ``is_established`` is true after the handshake.
    """

    def __init__(
        self,
        present: Callable[[str | None], Credential],
        cached: Callable[[str | None], Credential | None] = lambda _: None,
    ) -> None:
        self._present, self._cached, self._records = present, cached, RecordLayer()
        self.done, self.slow, self.outcome = False, False, "disconnected during the handshake"
        self.is_established = self.is_deferred = False
        self.credential: Credential | None = None
        self.name: str | None = None
        self._steps = self._run()

    def receive(self, data: bytes, *, may_defer: bool = False) -> bytes:
        """Process received bytes and return the bytes to send.

        With ``may_defer``, work that would block other sessions is deferred to the next call, which can be
        made in a thread: ``is_deferred`` is then true.
        """
        self._records.arrived += data
        try:
            next(self._steps)
            if self.is_deferred and not may_defer:
                next(self._steps)
        except StopIteration:
            self.done = True
        except Alert as alert:
            self.done, self.outcome = True, f"aborted by the server: {alert}"
            self._records.send_alert(alert.description)
        except PeerAlert as alert:
            self.done = True
            if alert.code == AlertDescription.CLOSE_NOTIFY:
                self.outcome = "disconnected without a request"
                self._records.send_alert(AlertDescription.CLOSE_NOTIFY)
            else:
                self.outcome = f"rejected by the client: {alert}"
        except (PkigenError, OverflowError) as error:
            reason = error if isinstance(error, PkigenError) else "the certificates do not fit in a handshake"
            self.done, self.outcome = True, f"server error: {reason}"
            self._records.send_alert(AlertDescription.INTERNAL_ERROR)
        output = bytes(self._records.outgoing)
        self._records.outgoing.clear()
        return output

    def close(self, outcome: str) -> bytes:
        """End the session and return a close_notify for the client; nothing if the session has ended."""
        if self.done:
            return b""
        self.done, self.outcome = True, outcome
        self._records.send_alert(AlertDescription.CLOSE_NOTIFY)
        return bytes(self._records.outgoing)

    def _run(self) -> Waiting[None]:
        records = self._records
        hello = client_hello((yield from records.message(tls13.CLIENT_HELLO)))
        self.name = hello.name
        credential = self._cached(hello.name)
        if credential is None:
            self.is_deferred = True
            yield
            self.is_deferred = False
            credential = self._present(hello.name)
        self.credential = credential
        self.slow = "slow-handshake" in credential.faults
        if "close-after-hello" in credential.faults:
            self.outcome = "closed after the ClientHello"
            return
        if "plaintext" in credential.faults:
            records.outgoing += PLAIN_HTTP_RESPONSE
            self.outcome = "responded in plain HTTP"
            return
        version = _version(hello, credential)
        protocol = _protocol(hello)
        connection: tls13.Connection | tls12.Connection
        if version == TLS_1_3:
            connection = yield from tls13.handshake(records, hello, credential, protocol)
        else:
            connection = yield from tls12.handshake(records, hello, credential, protocol, version)
        self.is_established = True
        self.outcome = f"completed the {_NAMES[version]} handshake"
        yield from self._respond(credential, connection)

    def _respond(
        self, credential: Credential, connection: tls13.Connection | tls12.Connection
    ) -> Waiting[None]:
        """Process one request, send the page, and close the connection."""
        case = credential.case.data
        exchange = HttpExchange(lambda html: (page_as_html if html else page_as_text)(case))
        response = b""
        while not response:
            data = yield from connection.application_data()
            response = exchange.receive(data) if data else b""
        self._records.send(APPLICATION, response)
        self._records.send_alert(AlertDescription.CLOSE_NOTIFY)
        self.outcome += " and sent the page"


def _protocol(hello: ClientHello) -> bytes:
    """Return the application protocol; empty for a client that does not negotiate it (RFC 7301, 3.2)."""
    if ALPN not in hello.extensions:
        return b""
    protocol = next((one for one in PROTOCOLS if one in hello.protocols), None)
    if protocol is None:
        raise Alert(AlertDescription.NO_APPLICATION_PROTOCOL)
    return protocol


def _version(hello: ClientHello, credential: Credential) -> int:
    """Return TLS 1.3, or 1.2 for an older client or key; 1.0 if this is the fault of the case.

    A TLS 1.0 server ignores supported_versions and negotiates by legacy_version.
    """
    if credential.faults.get("version") == "1.0":
        return TLS_1_0
    offered = hello.versions or range(TLS_1_2, hello.version + 1)
    if hello.version <= _SSL_3_0:
        raise Alert(AlertDescription.PROTOCOL_VERSION)
    if TLS_1_3 not in hello.versions and FALLBACK_SIGNAL in hello.suites:
        # The client offers less than it and the server support (RFC 7507, 3).
        raise Alert(AlertDescription.INAPPROPRIATE_FALLBACK)
    if TLS_1_3 in hello.versions and not (
        TLS_1_2 in offered and credential.signer.requires_tls12(hello.schemes)
    ):
        return TLS_1_3
    if TLS_1_2 in offered:
        return TLS_1_2
    raise Alert(AlertDescription.PROTOCOL_VERSION)
