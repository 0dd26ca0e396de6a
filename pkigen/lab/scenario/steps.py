"""Executes the steps of a scenario; expectations first recheck the connections."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from pkigen.clock import Span
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.connections.connection import Connection
from pkigen.lab.connections.receivers import Receiver
from pkigen.lab.lab import Lab
from pkigen.lab.scenario.scenario import (
    RIGHT,
    AlertStep,
    EnrollStep,
    Expectation,
    Step,
    UploadStep,
    ValidationStep,
)
from pkigen.x509 import Certificate

_LOOK_SECONDS = 0.25
_SECONDS = 10.0

One = TypeVar("One")


@dataclass(frozen=True)
class StepRunner:
    """Executes steps in a lab; ``within`` is the time limit of expectations in seconds."""

    lab: Lab
    within: float
    wait: Callable[[float], object] = time.sleep

    def do(self, step: Step) -> str:
        """Execute a step; return a description of the failure, or "". PkigenError if it is impossible."""
        way: Callable[[Any], str | None] = getattr(self, f"_{step.kind}")
        return way(getattr(step, step.kind)) or ""

    def _upload(self, upload: UploadStep) -> str:
        result = self.lab.upload_case(upload.to, upload.certificate, crl_check=upload.crl_check)
        actual = {message.text for message in result.messages}
        expected = set(map(self._message, upload.refused))
        if actual == expected:
            return ""
        outcome = f"refused the upload with {_quoted_list(actual)}" if actual else "accepted the upload"
        expectation = f"a refusal with {_quoted_list(expected)}" if expected else "acceptance"
        details = " ".join(text for message in result.messages for text in message.details)
        return f"{upload.to} {outcome}; expected {expectation}. {details}".strip()

    def _stay(self, name: str) -> None:
        self.lab.appliance(name).confirm_local_certificate()

    def _alert(self, alert: AlertStep) -> None:
        self.lab.raise_alert(alert.at, alert.title, alert.severity)

    def _validation(self, step: ValidationStep) -> None:
        self.lab.set_validation(step.of, mandatory=step.to == "mandatory")

    def _revoke(self, name: str) -> None:
        self.lab.revoke(name)

    def _unrevoke(self, name: str) -> None:
        self.lab.unrevoke(name)

    def _renew(self, name: str) -> None:
        self.lab.renew(name)

    def _enroll(self, step: EnrollStep) -> str:
        try:
            result = self.lab.enroll(step.appliance)
            problem = " ".join(message.text for message in result.messages)
        except InputError as error:
            problem = str(error)
        if step.fails is None:
            return problem
        if not problem:
            return f"{step.appliance} received a certificate; expected a failure"
        return "" if step.fails in problem else f"{problem}; expected '{step.fails}'"

    def _crl_server(self, to: str) -> None:
        if to == "start":
            self.lab.start_crl_server()
        else:
            self.lab.stop_crl_server()

    def _clock(self, move: Span | str) -> None:
        if move == RIGHT:
            self.lab.reset_clock()
        else:
            assert isinstance(move, Span)
            self.lab.move_clock(move.text)

    def _wait(self, seconds: float) -> None:
        self.wait(seconds)

    def _expect(self, expected: Expectation) -> str:
        within = self.within if expected.within is None else expected.within
        deadline = time.monotonic() + within
        look = {"connection": self._links, "appliance": self._appliances, "receiver": self._receivers}
        while words := look[expected.kind](expected):
            left = deadline - time.monotonic()
            if left <= 0:
                return words
            self.lab.scheduler.wait_until(lambda: False, min(_LOOK_SECONDS, left))
        return ""

    def _links(self, expected: Expectation) -> str:
        connections = _matching(
            expected.of,
            {connection.id: connection for connection in self.lab.connections},
            self.lab.connection,
        )
        self.lab.scheduler.now(connections)
        return "; ".join(filter(None, (self._link(connection, expected) for connection in connections)))

    def _link(self, connection: Connection, expected: Expectation) -> str:
        report = connection.report
        messages = {cause.message for cause in report.causes}
        blamed = {cause.certificate for cause in report.causes}
        wrong = []
        if expected.state is not None and report.state is not expected.state:
            wrong.append(f"is '{report.state}', expected '{expected.state}'")
        if expected.message is not None and self._message(expected.message) not in messages:
            wrong.append(f"reports {_quoted_list(messages)}")
        if expected.blames is not None and expected.blames not in blamed:
            wrong.append(f"blames {_quoted_list(blamed)}")
        if expected.queued is not None and len(connection.outbox) != expected.queued:
            wrong.append(f"has {len(connection.outbox)} queued alerts, expected {expected.queued}")
        return f"{connection.id} {', '.join(wrong)}. {report.summary}" if wrong else ""

    def _message(self, text: str) -> str:
        """Return the text of a message that is given by its key or as text."""
        first = self.lab.sets[0]
        return first.otherwise if text == "otherwise" else first.messages.get(text, text)

    def _appliances(self, expected: Expectation) -> str:
        chosen = _matching(expected.of, self.lab.appliances, self.lab.appliance)
        return "; ".join(filter(None, (self._appliance(one, expected) for one in chosen)))

    def _appliance(self, one: Appliance, expected: Expectation) -> str:
        if expected.shows is not None and not any(
            expected.shows in alert.title for alert in tuple(one.alerts)
        ):
            return f"{one.name} has no alert '{expected.shows}'"
        if expected.presents is None:
            return ""
        there = Certificate(presented_certificate(one))
        if expected.presents == "local":
            own = one.local and there.is_self_issued
            return "" if own else f"{one.name} does not present a locally self-signed certificate"
        try:
            case = self.lab.environment[expected.presents]
        except KeyError:
            raise InputError(f"the environment has no certificate '{expected.presents}'") from None
        same = there.fingerprint().hex() == case.data["sha256"]
        return "" if same else f"{one.name} does not present the certificate {expected.presents}"

    def _receivers(self, expected: Expectation) -> str:
        chosen = _matching(expected.of, self.lab.receivers, self._receiver)
        names = {one.name for one in chosen}
        self.lab.scheduler.now(
            [connection for connection in self.lab.connections if connection.target.name in names]
        )
        wrong = []
        for one in chosen:
            times = sum(str(expected.shows) in text for _, text in tuple(one.received))
            if times != 1:
                wrong.append(f"{one.name} received '{expected.shows}' {times} times, expected once")
        return "; ".join(wrong)

    def _receiver(self, name: str) -> Receiver:
        if name in self.lab.receivers:
            return self.lab.receivers[name]
        raise InputError(f"the lab simulates no receiver '{name}'")


def _matching(name: str, known: Mapping[str, One], one: Callable[[str], One]) -> list[One]:
    """Return the members that match a name or pattern; InputError if there are none."""
    if "*" not in name:
        return [one(name)]
    return [value for key, value in known.items() if fnmatchcase(key, name)] or [one(name)]


def _quoted_list(words: set[str]) -> str:
    return " and ".join(f"'{one}'" for one in sorted(words)) or "nothing"


def presented_certificate(appliance: Appliance) -> bytes:
    """Return the DER certificate that an appliance presents on a new connection.

    EnvironmentFailure if the connection fails.
    """
    try:
        pem = ssl.get_server_certificate(appliance.endpoint.listener.here, timeout=_SECONDS)
    except OSError as error:
        raise EnvironmentFailure(f"{appliance.name} does not respond: {error}") from error
    return ssl.PEM_cert_to_DER_cert(pem)
