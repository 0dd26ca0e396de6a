"""A TLS connection as a function of octets: hello, handshake of the version agreed on, one page."""

from __future__ import annotations

from collections.abc import Callable

from pkigen.errors import PkigenError
from pkigen.serve.tls import page, tls12, tls13
from pkigen.serve.tls.alerts import Alert, Description, Goodbye
from pkigen.serve.tls.client_hello import (
    TLS_1_0,
    TLS_1_2,
    TLS_1_3,
    ClientHello,
    client_hello,
)
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.http import PLAIN_ANSWER, PROTOCOL, Exchange
from pkigen.serve.tls.protection import APPLICATION
from pkigen.serve.tls.records import Waiting, Wire

_NAMES = {TLS_1_0: "TLS 1.0", TLS_1_2: "TLS 1.2", TLS_1_3: "TLS 1.3"}


class Session:
    """One connection: ``receive`` takes what has come and gives what is to be sent.

    ``present`` chooses by the host name asked for. ``done`` says that nothing more is to be expected,
    ``outcome`` in words what became of it, and ``slow`` that what is sent should go octet by octet.
    """

    def __init__(self, present: Callable[[str | None], Credential]) -> None:
        self._present, self._wire = present, Wire()
        self.done, self.slow, self.outcome = False, False, "left before it was done"
        self.credential: Credential | None = None
        self.name: str | None = None
        self._talk = self._conversation()

    def receive(self, data: bytes) -> bytes:
        """Octets to send, if any."""
        self._wire.arrived += data
        try:
            next(self._talk)
        except StopIteration:
            self.done = True
        except Alert as alert:
            self.done, self.outcome = True, f"ended here: {alert}"
            self._wire.send_alert(alert.description)
        except Goodbye as goodbye:
            self.done = True
            left = goodbye.code in (Description.CLOSE_NOTIFY, Description.USER_CANCELED)
            self.outcome = "left without a request" if left else f"refused by the client: {goodbye}"
        except (PkigenError, OverflowError) as error:
            words = error if isinstance(error, PkigenError) else "more than a handshake can hold"
            self.done, self.outcome = True, f"failed here: {words}"
            self._wire.send_alert(Description.INTERNAL_ERROR)
        sent = bytes(self._wire.outgoing)
        self._wire.outgoing.clear()
        return sent

    def _conversation(self) -> Waiting[None]:
        wire = self._wire
        hello = client_hello((yield from wire.message(tls13.CLIENT_HELLO)))
        self.name = hello.name
        self.credential = credential = self._present(hello.name)
        self.slow = "slow-handshake" in credential.ways
        if "close-after-hello" in credential.ways:
            self.outcome = "closed after the hello"
            return
        if "plaintext" in credential.ways:
            wire.outgoing += PLAIN_ANSWER
            self.outcome = "answered in plain HTTP"
            return
        version = _version(hello, credential)
        protocol = PROTOCOL if PROTOCOL in hello.protocols else b""
        if version == TLS_1_3:
            yield from tls13.handshake(wire, hello, credential, protocol)
        else:
            yield from tls12.handshake(wire, hello, credential, protocol, version)
        self.outcome = f"shaken hands over {_NAMES[version]}"
        yield from self._answer(credential)

    def _answer(self, credential: Credential) -> Waiting[None]:
        """The request, the page, the end."""
        data = credential.case.data
        exchange, answer = Exchange(lambda html: page.html(data) if html else page.text(data)), b""
        while not answer:
            kind, octets = yield from self._wire.record()
            if kind != APPLICATION:
                # New keys or a new handshake: nothing that so short a conversation needs.
                raise Alert(Description.UNEXPECTED_MESSAGE)
            answer = exchange.receive(octets) if octets else b""
        self._wire.send(APPLICATION, answer)
        self._wire.send_alert(Description.CLOSE_NOTIFY)
        self.outcome += ", and was answered"


def _version(hello: ClientHello, credential: Credential) -> int:
    """TLS 1.3, or 1.2 for a client that has no more; 1.0 alone where the case is about that.

    A server of TLS 1.0 knows no supported_versions, and goes by legacy_version.
    """
    if credential.ways.get("version") == "1.0":
        return TLS_1_0
    if TLS_1_3 in hello.versions:
        return TLS_1_3
    if TLS_1_2 in (hello.versions or range(TLS_1_2, hello.version + 1)):
        return TLS_1_2
    raise Alert(Description.PROTOCOL_VERSION)
