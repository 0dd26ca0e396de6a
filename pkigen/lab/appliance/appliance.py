"""A simulated appliance: its certificate, settings, event log and alerts."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import Any

from pkigen.errors import InputError
from pkigen.lab.appliance.credential import (
    Credential,
    local_credential,
    openssl_reason,
    read_credential,
    server_context,
)
from pkigen.lab.appliance.upload import Message, UploadResult
from pkigen.lab.connections.alerts import (
    MAX_STORED,
    Alert,
    Event,
    Grade,
    format_time,
    parse_alert,
    parse_event,
)
from pkigen.lab.state import TEMPORARY, State
from pkigen.serve.http.https_server import Endpoint
from pkigen.x509 import Certificate

_MOST_EVENTS = 300
_LOADS = "Use a key type and a signature algorithm that OpenSSL supports."


class Role(StrEnum):
    """Role of an appliance."""

    SENSOR = "sensor"
    CONSOLE = "management console"
    SECONDARY = "secondary console"


class Appliance:
    """One sensor or console; ``host`` is the name in its certificate.

    ``decided`` means that a user uploaded a certificate or confirmed the local one, ``local`` that the
    locally self-signed certificate is in use, ``given`` that the lab installed a certificate of the
    environment at startup, ``enrolled`` that the appliance requested it. ``switches`` are the settings of its
    requirement sets that a user changed. Safe to call from several threads.
    """

    def __init__(
        self,
        name: str,
        role: Role,
        host: str,
        endpoint: Endpoint,
        state: State,
        clock: Callable[[], datetime],
    ) -> None:
        self.name, self.role, self.host, self.endpoint = name, role, host, endpoint
        self.local = True
        self.decided = False
        self.mandatory = True
        self.given = False
        self.enrolled = False
        self.switches: dict[str, bool] = {}
        self.title = ""
        self.events = deque[Event](maxlen=_MOST_EVENTS)
        self.alerts = deque[Alert](maxlen=MAX_STORED)
        self.changed = False
        self.lock = RLock()
        self._anchors: tuple[Certificate, ...] = ()
        self._credential: Credential | None = None
        self._state = state
        self._clock = clock
        self._token_digest = ""

    @property
    def url(self) -> str:
        """URL of the web console."""
        return self.endpoint.listener.url

    @property
    def credential(self) -> Credential:
        """The certificate, chain and key in use."""
        assert self._credential is not None
        return self._credential

    @property
    def credential_path(self) -> Path:
        """The file with the key, the certificate and the chain in use (PEM)."""
        return self._state.path(self._file("pem"))

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """Trust anchors: the roots of the last uploaded chain that contained any."""
        return self._anchors

    def begin(self, given: Credential | None) -> None:
        """Restore the saved state, or start with the given credential or a self-signed one."""
        saved = self._state.read_json(self._file("json"))
        self._restore(saved)
        path = self.credential_path
        if saved and path.is_file():
            self._credential = self._saved_credential(path)
        if given is not None and self._should_install(given):
            self._store(given)
            self.local, self.decided, self.given, self.title = False, True, True, self.name
            self.enrolled = False
            self.tell("good", "The certificate from the environment is installed.")
        elif self._credential is None:
            self._store(local_credential(self.name, self.host, self._clock()))
            self.tell("notice", "A locally self-signed certificate is in use. Sign in to upload another one.")
        try:
            self.endpoint.present(server_context(path))
        except (ssl.SSLError, ValueError) as error:
            words = f"{self.name}: OpenSSL cannot present its certificate: {openssl_reason(error)}"
            raise InputError(words) from error
        self.save()

    def _should_install(self, given: Credential) -> bool:
        """Whether no certificate is installed, or an older one of the environment."""
        return self._credential is None or (self.given and self._credential != given)

    def _saved_credential(self, path: Path) -> Credential:
        try:
            return read_credential([path])
        except InputError as error:
            raise self._damaged() from error

    def install(self, result: UploadResult, title: str, *, enrolled: bool = False) -> UploadResult:
        """Install an accepted upload for new connections, and return the final result.

        ``enrolled`` means that the appliance requested the certificate.
        """
        from pkigen.errors import visible

        title = visible(title)
        with self.lock:
            if result.accepted and result.credential is not None:
                credential = result.credential
                try:
                    context = self._load_context(credential)
                except (ssl.SSLError, ValueError, OSError) as error:
                    words = f"OpenSSL cannot present the certificate: {openssl_reason(error)}."
                    message = Message("Certificate validation failed", (words,), _LOADS)
                    result = UploadResult((message,), result.unsupported, result.checked)
                else:
                    self._store(credential)
                    self.endpoint.present(context)
                    self.local, self.decided, self.given, self.title = False, True, False, title
                    self.enrolled = enrolled
            if result.accepted:
                self.tell("good", f"The certificate '{title}' was accepted and is in use.")
            else:
                messages = " ".join(message.text for message in result.messages)
                self.tell("bad", f"The certificate '{title}' was refused: {messages}")
            self.save()
            return result

    def confirm_local_certificate(self) -> None:
        """Confirm the locally self-signed certificate; InputError if another one is in use."""
        with self.lock:
            if not self.local:
                raise InputError(f"{self.name} does not use a locally self-signed certificate")
            self.decided = True
            self.tell("notice", "A user confirmed that the locally self-signed certificate stays in use.")

    def set_validation(self, *, mandatory: bool) -> None:
        """Switch the validation of peers on or off."""
        with self.lock:
            if mandatory == self.mandatory:
                return
            self.mandatory = mandatory
            words = "mandatory" if mandatory else "off; invalid certificates do not stop connections"
            self.tell("notice", f"Certificate validation is {words}.")

    def set_switch(self, name: str, *, on: bool) -> None:
        """Set a switch of the requirement sets, which applies to the next upload."""
        with self.lock:
            self.switches = {**self.switches, name: on}
            self.tell("notice", f"The switch '{name}' is {'on' if on else 'off'}.")

    def tell(self, grade: Grade, text: str) -> None:
        """Add an entry to the event log."""
        with self.lock:
            self.events.append(Event(format_time(self._clock()), grade, text))
            self.changed = True

    def new_token(self) -> str:
        """Create an API token, which replaces the previous one; only its digest is stored."""
        token = secrets.token_urlsafe(24)
        self._token_digest = token_digest(token)
        self.tell("notice", "A new API token was created; the previous token is no longer valid.")
        self.save()
        return token

    def accepts(self, token: str) -> bool:
        """Whether a token is the current API token."""
        return bool(self._token_digest) and secrets.compare_digest(token_digest(token), self._token_digest)

    def save(self) -> None:
        """Save changes for the next run."""
        with self.lock:
            if self.changed:
                self._state.write_json(self._file("json"), self._saved_state())
                self.changed = False

    def _file(self, suffix: str) -> str:
        return f"appliance-{self.name}.{suffix}"

    def _store(self, credential: Credential) -> None:
        self._state.write(self._file("pem"), credential.as_file())
        self._credential = credential
        # Without a chain the trust anchors do not change.
        self._anchors = credential.anchors or self._anchors
        self.changed = True

    def _load_context(self, credential: Credential) -> ssl.SSLContext:
        """Return a TLS context for a credential that is not installed yet."""
        name = f"{self._file('pem')}{TEMPORARY}"
        try:
            return server_context(self._state.write(name, credential.as_file()))
        finally:
            self._state.remove(name)

    def _saved_state(self) -> dict[str, Any]:
        return {
            "local": self.local,
            "decided": self.decided,
            "mandatory": self.mandatory,
            "given": self.given,
            "enrolled": self.enrolled,
            "switches": self.switches,
            "title": self.title,
            "anchors": [base64.b64encode(one.der).decode("ascii") for one in self._anchors],
            "token": self._token_digest,
            "events": [asdict(event) for event in self.events],
            "alerts": [alert.as_json() for alert in self.alerts],
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        """Restore the state of an earlier run; InputError if it is damaged."""
        self.local = bool(saved.get("local", True))
        self.decided = bool(saved.get("decided", False))
        self.mandatory = bool(saved.get("mandatory", True))
        self.given = bool(saved.get("given", False))
        self.enrolled = bool(saved.get("enrolled", False))
        self.title = str(saved.get("title", ""))
        self._token_digest = str(saved.get("token", ""))
        try:
            self.events.extend(map(parse_event, saved.get("events", ())))
            self.alerts.extend(map(parse_alert, saved.get("alerts", ())))
            anchors = (base64.b64decode(one, validate=True) for one in saved.get("anchors", ()))
            self._anchors = tuple(map(Certificate, anchors))
            self.switches = {str(name): bool(on) for name, on in dict(saved.get("switches", {})).items()}
        except (TypeError, ValueError) as error:
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError(f"the saved state of {self.name} is corrupt; delete {self._state.folder}")


def token_digest(token: str) -> str:
    """Return the digest of a secret, which is stored instead of the secret."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
