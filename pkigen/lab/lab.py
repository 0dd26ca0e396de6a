"""A running lab: its appliances, its connections and the operations on them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from pkigen.clock import parse_span
from pkigen.documents.fields import close_to
from pkigen.enrolment.server import EnrolmentServer
from pkigen.environment.environment import Case, Environment, open_environment
from pkigen.environment.revoke import revoke, unrevoke
from pkigen.errors import InputError, PkigenError, Problem, visible
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.appliance.samples import case_upload
from pkigen.lab.appliance.upload import Upload, UploadResult, check_upload
from pkigen.lab.connections.alerts import Alert, format_time
from pkigen.lab.connections.connection import Connection
from pkigen.lab.connections.crl_downloads import CrlDownloads
from pkigen.lab.connections.receivers import Receiver
from pkigen.lab.connections.scheduler import ConnectionScheduler
from pkigen.lab.connections.tls_client import ValidationPolicy
from pkigen.lab.crl_server import CrlServer
from pkigen.lab.enrolment.enrolments import Enrolments
from pkigen.lab.state import profile_passphrases
from pkigen.lab.timing import LabClock
from pkigen.lab.web.sessions import Sessions
from pkigen.profile import Profile
from pkigen.requirements import RequirementSet, switched
from pkigen.requirements.document import VALIDATION

_REASON = "keyCompromise"


class Lab:
    """A running lab of the environment in ``folder``. Safe to call from several threads.

    Unknown names and impossible operations raise InputError.
    """

    def __init__(
        self,
        folder: Path,
        profile: Profile,
        clock: LabClock,
        sets: Sequence[RequirementSet],
        own_sets: Mapping[str, Sequence[RequirementSet]],
        downloads: CrlDownloads,
        proxy: str | None,
    ) -> None:
        self.folder = folder
        self.profile = profile
        self.clock = clock
        self.sets = tuple(sets)
        self._own_sets = own_sets
        self.proxy = proxy
        self.passphrases = profile_passphrases(profile)
        self.appliances: dict[str, Appliance] = {}
        self.receivers: dict[str, Receiver] = {}
        # The cases that servers outside the lab present.
        self.external_receivers: dict[str, str] = {}
        self.connections: tuple[Connection, ...] = ()
        self.password = ""
        self.sessions: Sessions
        self.secret = ""
        self.crl_server: CrlServer
        self.enrolment: EnrolmentServer | None = None
        self.enrolments: Enrolments
        self.scheduler: ConnectionScheduler
        self._downloads = downloads

    @property
    def environment(self) -> Environment:
        """The current environment."""
        return open_environment(self.folder)

    @property
    def console(self) -> Appliance:
        """The management console."""
        return next(one for one in self.appliances.values() if one.role is Role.CONSOLE)

    def appliance(self, name: str) -> Appliance:
        """Return the appliance with a name."""
        return self.appliances[self._require_known(name, self.appliances, "appliance")]

    def connection(self, name: str) -> Connection:
        """Return the connection ``SENDER:RECEIVER``."""
        connections = {connection.id: connection for connection in self.connections}
        return connections[self._require_known(name, connections, "connection")]

    def connections_of(self, appliance: Appliance) -> tuple[Connection, ...]:
        """Return the connections of an appliance."""
        return tuple(one for one in self.connections if appliance in (one.sender, one.target.appliance))

    def policy_of(self, appliance: Appliance) -> ValidationPolicy:
        """Return the current validation policy of an appliance."""
        return ValidationPolicy(appliance.anchors, self.clock(), self._downloads.get, appliance.mandatory)

    def upload(self, name: str, upload: Upload) -> UploadResult:
        """Upload files to an appliance; accepted files are in use when this returns."""
        return self._install(self.appliance(name), upload)

    def install_enrolled(self, appliance: Appliance, upload: Upload) -> UploadResult:
        """Check and install a certificate that an appliance requested, like an upload."""
        return self._install(appliance, upload, enrolled=True)

    def _install(self, appliance: Appliance, upload: Upload, *, enrolled: bool = False) -> UploadResult:
        result = check_upload(upload, self.sets_of(appliance), self.clock(), appliance.anchors, self.proxy)
        done = appliance.install(result, upload.title, enrolled=enrolled)
        if done.accepted:
            self.scheduler.check_soon(self.connections_of(appliance))
        return done

    def enroll(self, name: str) -> UploadResult:
        """Let an appliance request a certificate now; InputError if it gets none."""
        return self.enrolments.run(self.appliance(name))

    def upload_case(self, name: str, case: str, *, crl_check: bool = True) -> UploadResult:
        """Upload the files of a certificate of the environment."""
        return self.upload(name, case_upload(self.environment, case, self.passphrases, crl_check=crl_check))

    def set_validation(self, name: str, *, mandatory: bool) -> None:
        """Switch certificate validation of an appliance on or off."""
        appliance = self.appliance(name)
        appliance.set_validation(mandatory=mandatory)
        self.scheduler.check_soon(self.connections_of(appliance))

    def sets_of(self, appliance: Appliance) -> tuple[RequirementSet, ...]:
        """Return the requirement sets of an appliance, with its switches: its certificate's own, or all."""
        sets = tuple(self._own_sets.get(appliance.name, self.sets))
        known = {name for one in sets for name in one.known_switches}
        return switched(sets, {name: on for name, on in appliance.switches.items() if name in known})

    def switches_of(self, appliance: Appliance) -> dict[str, bool]:
        """Return the switches that the requirement sets of an appliance declare, and their values."""
        sets = self.sets_of(appliance)
        return {name: one.is_on(name) for one in sets for name in one.switches if name != VALIDATION}

    def set_switch(self, name: str, switch: str, *, on: bool) -> None:
        """Set a switch of an appliance; InputError if its requirement sets do not have it."""
        appliance = self.appliance(name)
        appliance.set_switch(self._require_known(switch, self.switches_of(appliance), "switch"), on=on)

    def raise_alert(self, name: str, title: str, severity: int = 5, message: str = "") -> Alert:
        """Raise an alert at an appliance and forward it."""
        appliance = self.appliance(name)
        alert = Alert(
            secrets.token_hex(8), format_time(self.clock()), name, visible(title), severity, visible(message)
        )
        self.take_alerts(appliance, (alert,))
        return alert

    def take_alerts(self, appliance: Appliance, alerts: Sequence[Alert]) -> int:
        """Store and forward new alerts of an appliance; return the number of those not yet known."""
        with appliance.lock:
            known = {alert.id for alert in appliance.alerts}
            fresh = list({one.id: one for one in alerts if one.id not in known}.values())
            appliance.alerts.extend(fresh)
            appliance.changed = appliance.changed or bool(fresh)
        onward = [connection for connection in self.connections if connection.sender is appliance]
        for connection in onward if fresh else ():
            for alert in fresh:
                connection.outbox.put(alert)
        if fresh:
            self.scheduler.check_soon(onward)
        return len(fresh)

    def presented_case(self, name: str) -> Case:
        """Return the case that an appliance or receiver presents; InputError if it presents none."""
        case = self._presented(name, self.environment)
        if case is None:
            words = (
                "its locally self-signed certificate"
                if self.appliance(name).local
                else "a certificate from outside the environment"
            )
            raise InputError(f"{name} presents {words}; no CA of the lab can revoke it")
        return case

    def _presented(self, name: str, environment: Environment) -> Case | None:
        if name in self.receivers:
            return environment[self.receivers[name].case]
        if name in self.external_receivers:
            return environment[self.external_receivers[name]]
        print_ = self.appliance(name).credential.leaf.fingerprint().hex()
        return next((case for case in environment.cases() if case.data["sha256"] == print_), None)

    def revocable(self, names: Iterable[str]) -> dict[str, bool]:
        """Return whether each certificate is revoked; names without a CA in the lab are left out."""
        environment, revoked = self.environment, dict[str, bool]()
        for name in names:
            case = self._presented(name, environment)
            if case is not None:
                revoked[name] = case.data.get("revoked") is not None
        return revoked

    def revoke(self, name: str) -> str:
        """Revoke the certificate that an appliance or receiver presents; return its name."""
        self._require_known(
            name, {**self.appliances, **self.receivers, **self.external_receivers}, "appliance"
        )
        case = self.presented_case(name)
        passphrases = self.passphrases.authorities
        revoke(self.folder, [case.name], reason=_REASON, at=self.clock(), passphrases=passphrases)
        self._recheck_all("notice", f"The CA revoked the certificate of {name} ({case.name}).")
        return case.name

    def unrevoke(self, name: str) -> str:
        """Lift a revocation, even if a real CA could not."""
        self._require_known(
            name, {**self.appliances, **self.receivers, **self.external_receivers}, "appliance"
        )
        case = self.presented_case(name)
        unrevoke(self.folder, [case.name], force=True, passphrases=self.passphrases.authorities)
        self.crl_server.renew()
        self._recheck_all("notice", f"The CA lifted the revocation of the certificate of {name}.")
        return case.name

    def renew(self, name: str) -> None:
        """Reissue the certificate of an appliance; it must then be uploaded."""
        from pkigen.environment.build.build import build
        from pkigen.environment.build.options import BuildOptions

        appliance = self.appliance(name)
        options = BuildOptions(at=self.clock(), renew=frozenset({f"certificates/{name}"}))
        build(self.profile, self.folder.parent, options)
        appliance.tell("notice", "The CA issued a new certificate for this appliance. Upload it to use it.")

    def stop_crl_server(self) -> None:
        """Stop the CRL server."""
        self.crl_server.stop()
        self._recheck_all("notice", "The CRL server was stopped.")

    def start_crl_server(self) -> None:
        """Start the CRL server again."""
        self.crl_server.start()
        self._recheck_all("notice", "The CRL server is running again.")

    def move_clock(self, span: str) -> None:
        """Move the clock of the lab forward: ``1mo``, ``36h``."""
        try:
            self.clock.move(parse_span(span))
        except ValueError as error:
            raise InputError(str(error)) from error
        self.crl_server.renew()
        self._recheck_all(
            "notice", f"The lab clock was moved forward. The lab time is now {format_time(self.clock())}."
        )

    def reset_clock(self) -> None:
        """Reset the clock of the lab to the machine's time."""
        self.clock.reset()
        self.crl_server.renew()
        self._recheck_all("notice", "The lab clock was reset to the machine's time.")

    def handle_clock_jump(self) -> None:
        """Recheck all connections after a suspend or a clock change."""
        jump = self.clock.jump_since_last_call()
        if jump is None:
            return
        # The CRL upkeep reports and retries a failure.
        with suppress(PkigenError):
            self.crl_server.renew()
        seconds = abs(round(jump.total_seconds()))
        way = "forward" if jump > timedelta() else "back"
        words = f"The machine's clock jumped {way} by {seconds:,} seconds. All connections are checked again."
        self._recheck_all("notice", words)

    def save(self) -> None:
        """Save the changes of all appliances."""
        for one in self.appliances.values():
            one.save()

    def as_json(self) -> dict[str, Any]:
        """Return the status of the lab as JSON, without keys, tokens and passwords."""
        return {
            "environment": self.folder.name,
            "clock": format_time(self.clock()),
            "crl_server": {"url": self.crl_server.url, "stopped": self.crl_server.stopped},
            "proxy": self.proxy,
            "appliances": [self._appliance(one) for one in self.appliances.values()],
            "receivers": [
                {"name": one.name, "kind": one.kind, "url": one.listener.url, "taken": len(one.received)}
                for one in self.receivers.values()
            ],
            "connections": [connection_as_json(connection) for connection in self.connections],
        }

    def _appliance(self, one: Appliance) -> dict[str, Any]:
        enrolment = self.enrolments.of(one)
        return {
            "name": one.name,
            "role": str(one.role),
            "host": one.host,
            "url": one.url,
            "validation": "mandatory" if one.mandatory else "none",
            "certificate": "locally self-signed" if one.local else one.title,
            "decided": one.decided,
            "alerts": len(one.alerts),
            "enrollment": None if enrolment is None else enrolment.as_json(),
        }

    def _recheck_all(self, grade: Any, text: str) -> None:
        self._downloads.forget()
        self.console.tell(grade, text)
        self.scheduler.check_soon()

    def _require_known(self, name: str, known: Mapping[str, object], what: str) -> str:
        if name in known:
            return name
        words = f"there is no {what} '{visible(name)}'"
        raise InputError(Problem(words, suggestion=close_to(name, tuple(known))))


def connection_as_json(connection: Connection) -> dict[str, Any]:
    """Return the JSON object of a connection."""
    report = connection.report
    return {
        "id": connection.id,
        "from": connection.sender.name,
        "to": connection.target.name,
        "kind": connection.target.kind,
        "state": str(report.state),
        "summary": report.summary,
        "causes": [
            {
                "who": cause.who,
                "whom": cause.whom,
                "certificate": cause.certificate,
                "depth": cause.depth,
                "message": cause.message,
                "found": cause.detail,
                "advice": cause.advice,
            }
            for cause in report.causes
        ],
        "path": list(report.path),
        "at": report.at or None,
        "queued": len(connection.outbox),
        "sent": connection.outbox.sent,
        "lost": connection.outbox.lost,
    }
