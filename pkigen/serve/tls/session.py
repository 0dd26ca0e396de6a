"""A TLS connection as a function of bytes: ClientHello, handshake, one HTTP exchange."""

from __future__ import annotations

from collections.abc import Callable

from pkigen.errors import PkigenError
from pkigen.serve.tls import tls12, tls13
from pkigen.serve.tls.client_hello import (
    TLS_1_0,
    TLS_1_2,
    TLS_1_3,
    ClientHello,
    client_hello,
)
from pkigen.serve.tls.codec import Alert, AlertDescription, PeerAlert
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.http import PLAIN_HTTP_RESPONSE, PROTOCOL, HttpExchange, page_as_html, page_as_text
from pkigen.serve.tls.record_protection import APPLICATION
from pkigen.serve.tls.records import RecordLayer, Waiting

_NAMES = {TLS_1_0: "TLS 1.0", TLS_1_2: "TLS 1.2", TLS_1_3: "TLS 1.3"}


class Session:
    """One connection: ``receive`` processes received bytes and returns the bytes to send.

    ``present`` selects the credential by host name. ``done`` marks the end, ``outcome`` describes the result
    for the log, and ``slow`` means that the output is sent byte by byte.
    """

    def __init__(self, present: Callable[[str | None], Credential]) -> None:
        self._present, self._records = present, RecordLayer()
        self.done, self.slow, self.outcome = False, False, "disconnected during the handshake"
        self.credential: Credential | None = None
        self.name: str | None = None
        self._steps = self._run()

    def receive(self, data: bytes) -> bytes:
        """Process received bytes and return the bytes to send."""
        self._records.arrived += data
        try:
            next(self._steps)
        except StopIteration:
            self.done = True
        except Alert as alert:
            self.done, self.outcome = True, f"aborted by the server: {alert}"
            self._records.send_alert(alert.description)
        except PeerAlert as alert:
            self.done = True
            is_closed = alert.code in (AlertDescription.CLOSE_NOTIFY, AlertDescription.USER_CANCELED)
            self.outcome = (
                "disconnected without a request" if is_closed else f"rejected by the client: {alert}"
            )
        except (PkigenError, OverflowError) as error:
            reason = error if isinstance(error, PkigenError) else "the certificates do not fit in a handshake"
            self.done, self.outcome = True, f"server error: {reason}"
            self._records.send_alert(AlertDescription.INTERNAL_ERROR)
        output = bytes(self._records.outgoing)
        self._records.outgoing.clear()
        return output

    def _run(self) -> Waiting[None]:
        records = self._records
        hello = client_hello((yield from records.message(tls13.CLIENT_HELLO)))
        self.name = hello.name
        self.credential = credential = self._present(hello.name)
        self.slow = "slow-handshake" in credential.faults
        if "close-after-hello" in credential.faults:
            self.outcome = "closed after the ClientHello"
            return
        if "plaintext" in credential.faults:
            records.outgoing += PLAIN_HTTP_RESPONSE
            self.outcome = "responded in plain HTTP"
            return
        version = _version(hello, credential)
        protocol = PROTOCOL if PROTOCOL in hello.protocols else b""
        if version == TLS_1_3:
            yield from tls13.handshake(records, hello, credential, protocol)
        else:
            yield from tls12.handshake(records, hello, credential, protocol, version)
        self.outcome = f"completed the {_NAMES[version]} handshake"
        yield from self._respond(credential)

    def _respond(self, credential: Credential) -> Waiting[None]:
        """Process one request, send the page, and close the connection."""
        case = credential.case.data
        exchange = HttpExchange(lambda html: (page_as_html if html else page_as_text)(case))
        response = b""
        while not response:
            kind, data = yield from self._records.record()
            if kind != APPLICATION:
                # KeyUpdate and renegotiation are not needed on so short a connection.
                raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
            response = exchange.receive(data) if data else b""
        self._records.send(APPLICATION, response)
        self._records.send_alert(AlertDescription.CLOSE_NOTIFY)
        self.outcome += " and sent the page"


def _version(hello: ClientHello, credential: Credential) -> int:
    """Return TLS 1.3, or 1.2 for an older client; 1.0 if this is the fault of the case.

    A TLS 1.0 server ignores supported_versions and negotiates by legacy_version.
    """
    if credential.faults.get("version") == "1.0":
        return TLS_1_0
    if TLS_1_3 in hello.versions:
        return TLS_1_3
    if TLS_1_2 in (hello.versions or range(TLS_1_2, hello.version + 1)):
        return TLS_1_2
    raise Alert(AlertDescription.PROTOCOL_VERSION)
