"""A connection of an appliance: checked repeatedly, and halted when validation fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from pkigen.inspection.path import PathProblem
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.appliance.credential import display_name
from pkigen.lab.appliance.upload import ADVICE
from pkigen.lab.connections.alert_formats import syslog, webhook
from pkigen.lab.connections.alerts import Alert, Outbox, format_time
from pkigen.lab.connections.tls_client import (
    Channel,
    ConnectError,
    Peer,
    ValidationError,
    ValidationPolicy,
    connect,
)
from pkigen.lab.timing import CancelToken
from pkigen.requirements import RequirementSet
from pkigen.x509 import Certificate

_OK = 200
# An alert has at most 12 KB of JSON, so that a batch is below the request limit of a console.
_MOST_AT_ONCE = 25
_MESSAGES = {
    "expired": ("expired",),
    "revoked": ("revoked",),
    "unreachable": ("crl-missing", "crl-stale", "crl-not-yet-valid", "crl-bad-signature"),
    "chain": ("no-issuer", "untrusted-root", "bad-signature", "not-a-ca", "path-length", "name-constraint"),
}
_KEYS = {rule: key for key, rules in _MESSAGES.items() for rule in rules}


class ConnectionState(StrEnum):
    """State of a connection."""

    WAITING = "not tried yet"
    CONNECTED = "connected"
    UNVALIDATED = "connected without validation"
    HALTED = "halted"
    UNANSWERED = "no answer"


@dataclass(frozen=True, slots=True)
class Cause:
    """A validation error that ``who`` reports about ``certificate`` of ``whom``; ``depth`` 0: end entity."""

    who: str
    whom: str
    certificate: str
    depth: int
    message: str
    detail: str
    advice: str


@dataclass(frozen=True, slots=True)
class Report:
    """Result of the last attempt; ``path`` contains the receiver's certificate names, end entity first."""

    state: ConnectionState = ConnectionState.WAITING
    summary: str = "The connection has not been tried yet."
    causes: tuple[Cause, ...] = ()
    path: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The receiving end; ``appliance`` is None for a server outside the lab."""

    name: str
    kind: str
    host: str
    address: tuple[str, int]
    appliance: Appliance | None = None


@dataclass
class Connection:
    """A connection from an appliance to a target; if ``mutual``, the target validates the sender as well.

    ``policy_of`` returns the validation policy of an appliance, ``secret`` authenticates appliances to each
    other. When ``cancel_token`` is set, the running attempt is abandoned without a result.
    """

    sender: Appliance
    target: Target
    policy_of: Callable[[Appliance], ValidationPolicy]
    messages: RequirementSet
    secret: str
    cancel_token: CancelToken
    mutual: bool = False
    outbox: Outbox = field(default_factory=Outbox)
    report: Report = field(default_factory=Report)
    due: float = 0.0
    busy: bool = False
    _lock: Lock = field(default_factory=Lock)

    @property
    def id(self) -> str:
        """ID in URLs and scenarios: ``SENDER:RECEIVER``."""
        return f"{self.sender.name}:{self.target.name}"

    def check(self) -> Report:
        """Connect, validate, deliver queued alerts, and return the report; attempts do not overlap."""
        with self._lock:
            before, report = self.report, self._attempt()
            if self.cancel_token.is_cancelled:
                return self.report
            self.report = report
            if (report.state, _failure_summary(report)) != (before.state, _failure_summary(before)):
                self._log_state_change(report)
            return report

    def _attempt(self) -> Report:
        policy = self.policy_of(self.sender)
        now = format_time(policy.at)
        try:
            causes, path = self._connect(policy)
        except _PeerRejected as refused:
            words = f"{refused.who} rejected the certificate of {refused.whom}. The connection is halted."
            return Report(ConnectionState.HALTED, words, refused.causes, refused.path, now)
        except ConnectError as error:
            return Report(ConnectionState.UNANSWERED, f"{str(error).rstrip('.')}.", at=now)
        lax = [one.name for one in self._validating() if not one.mandatory]
        if not lax:
            words = (
                "The certificates are valid and not revoked." if self.mutual else "The certificate is valid."
            )
            return Report(ConnectionState.CONNECTED, words, (), path, now)
        words = f"Validation is off at {' and '.join(lax)}: the connection continues "
        words += "although the certificate is invalid." if causes else "regardless of the certificate."
        return Report(ConnectionState.UNVALIDATED, words, causes, path, now)

    def _validating(self) -> Sequence[Appliance]:
        other = self.target.appliance
        return (self.sender, other) if self.mutual and other is not None else (self.sender,)

    def _connect(self, policy: ValidationPolicy) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
        """Return the tolerated errors and the path that the target presents."""
        there = Peer(self.target.host, self.target.address)
        try:
            with connect(there, policy, self.cancel_token) as channel:
                causes = self._causes(self.sender, self.target, self.target.appliance, channel)
                causes += self._check_sender()
                self._deliver(channel)
                return causes, _names(channel.path)
        except ValidationError as halted:
            causes = self._causes(self.sender, self.target, self.target.appliance, halted)
            raise _PeerRejected(self.sender.name, self.target.name, causes, _names(halted.path)) from halted

    def _check_sender(self) -> tuple[Cause, ...]:
        """Return the tolerated errors that the target reports about the sender."""
        other = self.target.appliance
        if not self.mutual or other is None:
            return ()
        sender = self.sender
        try:
            there = Peer(sender.host, sender.endpoint.listener.here)
            with connect(there, self.policy_of(other), self.cancel_token) as back:
                return self._causes(other, sender, sender, back)
        except ValidationError as halted:
            causes = self._causes(other, sender, sender, halted)
            raise _PeerRejected(other.name, sender.name, causes, _names(halted.path)) from halted

    def _causes(
        self,
        who: Appliance,
        whom: Target | Appliance,
        presenting: Appliance | None,
        result: ValidationError | Channel,
    ) -> tuple[Cause, ...]:
        return tuple(self._cause(who, whom, presenting, one, result.path) for one in result.problems)

    def _cause(
        self,
        who: Appliance,
        whom: Target | Appliance,
        presenting: Appliance | None,
        problem: PathProblem,
        path: Sequence[Certificate],
    ) -> Cause:
        depth = problem.depth if 0 <= problem.depth < len(path) else 0
        key = _KEYS.get(problem.rule, "")
        message = self.messages.messages.get(key, self.messages.otherwise)
        advice = ADVICE.get(key, problem.advice)
        if presenting is not None and presenting.local:
            advice = (
                "The certificate is locally self-signed. "
                f"Upload a CA-issued certificate to {presenting.name}."
            )
        elif not who.anchors:
            advice = f"{who.name} trusts no CA yet. Upload a certificate with its chain to {who.name}."
        certificate = display_name(path[depth]) if path else whom.host
        return Cause(who.name, whom.name, certificate, depth, message, problem.message, advice)

    def _deliver(self, channel: Channel) -> None:
        """Send the queued alerts; those that fail stay queued. Raise ConnectError if the target fails."""
        waiting = self.outbox.all()[:_MOST_AT_ONCE]
        if self.target.kind == "syslog":
            for alert in waiting:
                channel.send(syslog(alert, self.sender.host))
            channel.finish()
        elif self.target.kind == "webhook":
            if waiting:
                self._post(channel, "/", webhook(waiting), {})
        else:
            self._post(channel, "/link/alerts", self._greeting(waiting), {"Authorization": self.secret})
        self.outbox.delivered(waiting)
        if len(self.outbox):
            self.due = 0.0

    def _greeting(self, waiting: Sequence[Alert]) -> bytes:
        alerts = [alert.as_json() for alert in waiting]
        return json.dumps({"from": self.sender.name, "alerts": alerts}).encode("ascii")

    def _post(self, channel: Channel, target: str, body: bytes, headers: dict[str, str]) -> None:
        status, _ = channel.request("POST", target, {"Content-Type": "application/json", **headers}, body)
        if status != _OK:
            raise ConnectError(f"{self.target.name} returned HTTP status {status}")

    def _log_state_change(self, report: Report) -> None:
        """Log a change of state at both ends."""
        about = f"{self.sender.name} to {self.target.name}: {report.state}."
        grade = {ConnectionState.CONNECTED: "good", ConnectionState.UNVALIDATED: "notice"}.get(
            report.state, "bad"
        )
        words = " ".join(
            filter(None, (about, _failure_summary(report) or (report.summary if grade != "good" else "")))
        )
        for end in (self.sender, self.target.appliance):
            if end is not None:
                end.tell(grade, words)  # type: ignore[arg-type]


class _PeerRejected(Exception):
    """Return the report of a failed validation."""

    def __init__(self, who: str, whom: str, causes: tuple[Cause, ...], path: tuple[str, ...]) -> None:
        super().__init__(who)
        self.who, self.whom, self.causes, self.path = who, whom, causes, path


def _failure_summary(report: Report) -> str:
    """Summarize the causes: the certificates for each message."""
    blamed = dict[str, list[str]]()
    for one in report.causes:
        blamed.setdefault(one.message.rstrip("."), []).append(one.certificate)
    return " ".join(f"{', '.join(dict.fromkeys(names))}: {text}." for text, names in blamed.items())


def _names(path: Sequence[Certificate]) -> tuple[str, ...]:
    return tuple(map(display_name, path))
