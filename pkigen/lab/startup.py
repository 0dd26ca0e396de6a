"""Starts a lab, and always stops what it started."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from pkigen.enrolment.server import EnrolmentServer, serving
from pkigen.environment.enrol import Enroller
from pkigen.environment.environment import Case, Environment, open_environment
from pkigen.errors import InputError
from pkigen.inspection.check import sets_of
from pkigen.lab.appliance.appliance import Appliance, Role
from pkigen.lab.appliance.credential import (
    Credential,
    openssl_reason,
    read_credential,
    server_context,
)
from pkigen.lab.appliance.members import Members, resolve_members
from pkigen.lab.connections.alerts import Outbox, parse_alert
from pkigen.lab.connections.connection import Connection, Target
from pkigen.lab.connections.crl_downloads import CrlDownloads
from pkigen.lab.connections.receivers import Receiver, SyslogServer
from pkigen.lab.connections.scheduler import ConnectionScheduler
from pkigen.lab.crl_server import crl_server
from pkigen.lab.crl_server import proxy as proxy_app
from pkigen.lab.enrolment.enrolments import enrolments_of
from pkigen.lab.enrolment.http_challenges import HttpChallenges
from pkigen.lab.lab import Lab
from pkigen.lab.state import (
    STATE,
    Passphrases,
    State,
    acquire_lock,
    clock_offset,
    profile_passphrases,
)
from pkigen.lab.timing import CancelToken, LabClock
from pkigen.lab.web.sessions import Sessions
from pkigen.profile import Profile
from pkigen.requirements import RequirementSet, load_set
from pkigen.serve.http.https_server import Endpoint, HttpsSite, serve_sites
from pkigen.serve.http.server import Listener, background, listen

_OUTBOXES = "outboxes.json"
_SECONDS = 10.0
_LAST_PORT = 65535
_LOOPBACK = "127.0.0.1"

Web = Callable[[Lab, Appliance], ASGIApp]


@contextmanager
def running_lab(
    folder: Path,
    profile: Profile,
    web: Web,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Lab]:
    """Run the lab of a built environment for the duration of the block.

    ``web`` creates the application of each appliance. The management console listens on ``port``, the others
    on the ports after it (0: free ports). Raises InputError for errors in the profile, EnvironmentFailure if
    a port is in use or the lab is already running.
    """
    environment = open_environment(folder)
    members = resolve_members(profile, environment)
    state = State(folder)
    lock = acquire_lock(state)
    with ExitStack() as stack:
        stack.callback(lock.release)
        state.remove_temporary_files()
        saved = state.read_json(STATE)
        clock = LabClock(_saved_clock_offset(saved, state))
        ports = _Ports(stack, host, port)
        passphrases = profile_passphrases(profile)
        server = stack.enter_context(crl_server(environment, host, clock, tell, passphrases.authorities))
        between = ports.next("http") if members.settings.proxy else None
        proxy = None if between is None else between.url
        cancel_token = CancelToken()
        downloads = CrlDownloads(proxy, cancel_token)
        sets, own_sets = _requirement_sets(environment)
        lab = Lab(folder, profile, clock, sets, own_sets, downloads, proxy)
        lab.crl_server = server
        lab.password = str(saved.get("password") or secrets.token_urlsafe(9))
        lab.secret = secrets.token_urlsafe(24)
        _start_appliances(lab, members, state, ports)
        lab.sessions = Sessions(lab.console.endpoint.listener.port, lab.password)
        syslogs, hosted_ = _receivers(lab, members, state, ports)
        challenges = HttpChallenges()
        lab.enrolment = _enrolment(stack, lab, members, challenges, ports)
        lab.enrolments = enrolments_of(
            lab.appliances,
            members.enrolling,
            environment,
            lab.enrolment,
            challenges,
            cancel_token,
            clock,
            lab.install_enrolled,
        )
        lab.connections = tuple(_connections(lab, members, sets, cancel_token))
        _restore_outboxes(lab, state)
        keeper = _StateWriter(lab, state)
        lab.scheduler = ConnectionScheduler(lab.connections, members.settings.interval, keeper.tick, tell)
        for one in lab.appliances.values():
            hosted_.append(HttpsSite(one.endpoint.listener, web(lab, one), one.endpoint.context))
        if between is not None:
            hosted_.append(HttpsSite(between, proxy_app(server.url, server.here)))
        loop = stack.enter_context(serve_sites(hosted_))
        for syslog in syslogs:
            stack.enter_context(_running(syslog, loop))
        # Save immediately, so that the printed password stays valid even after a kill.
        keeper.tick()
        stack.callback(keeper.tick)
        stack.enter_context(lab.enrolments.running())
        stack.enter_context(lab.scheduler.running())
        stack.callback(cancel_token.cancel)
        yield lab


def _enrolment(
    stack: ExitStack, lab: Lab, members: Members, challenges: HttpChallenges, ports: _Ports
) -> EnrolmentServer | None:
    """Start the enrollment server on the next port; None if the profile has no template with a protocol.

    ``challenges`` are those of the appliances: they are fetched from a port of the lab.
    """
    if not any(template.protocols for template in lab.profile.templates):
        return None
    enroller = Enroller(lab.folder, clock=lab.clock, issue_clock=lab.clock)
    listener = ports.next()
    names = {rule.template.name for rule in members.enrolling.values() if rule.protocol == "acme"}
    if names:
        port_80 = stack.enter_context(listen(_LOOPBACK, 0))
        stack.enter_context(background(challenges.application(), port_80))
        for name in names:
            enroller.templates[name] = enroller.templates[name].with_http_port(port_80.port)
    return stack.enter_context(serving(enroller, listener))


class _Ports:
    """Creates listeners on consecutive ports."""

    def __init__(self, stack: ExitStack, host: str, first: int) -> None:
        self._stack, self._host, self._next = stack, host, first

    def next(self, scheme: str = "https") -> Listener:
        """Listen on the next port; InputError beyond 65535."""
        if self._next > _LAST_PORT:
            words = f"--port is too high: the lab needs more ports, and {_LAST_PORT} is the last port"
            raise InputError(f"{words}. Choose a lower port, or 0 for free ports")
        listener = self._stack.enter_context(listen(self._host, self._next, scheme, "--port"))
        self._next += bool(self._next)
        return listener


@dataclass
class _StateWriter:
    """Saves changes periodically and at the end."""

    lab: Lab
    state: State
    _written: object = None

    def tick(self) -> None:
        """Save what has changed; EnvironmentFailure if that fails."""
        self.lab.handle_clock_jump()
        self.lab.enrolments.start_due()
        self.lab.save()
        ahead = self.lab.clock.ahead.total_seconds()
        version = (ahead, *(connection.outbox.changes for connection in self.lab.connections))
        if version == self._written:
            return
        boxes = {connection.id: connection.outbox.all() for connection in self.lab.connections}
        waiting = {name: [alert.as_json() for alert in alerts] for name, alerts in boxes.items() if alerts}
        self.state.write_json(_OUTBOXES, waiting)
        self.state.write_json(STATE, {"ahead": ahead, "password": self.lab.password})
        self._written = version


def _saved_clock_offset(saved: dict[str, Any], state: State) -> timedelta:
    """Return the saved offset of the lab's clock."""
    try:
        ahead = clock_offset(saved)
        LabClock(ahead)()
    except (TypeError, ValueError, OverflowError) as error:
        words = f"the saved state of the lab's clock is corrupt; delete {state.path(STATE)}"
        raise InputError(words) from error
    return ahead


def _requirement_sets(
    environment: Environment,
) -> tuple[tuple[RequirementSet, ...], dict[str, tuple[RequirementSet, ...]]]:
    """Return the requirement sets of the environment (default: defender-iot), and those by certificate.

    A certificate with sets of its own must satisfy those of the environment, too.
    """
    sets = sets_of(environment.folder)
    common = tuple(sets[name] for name in environment.requirements)
    own = {
        case.name: (*common, *(sets[name] for name in case.data["requirements"]))
        for case in environment.cases()
        if case.fault is None and case.data.get("requirements")
    }
    return common or (load_set("defender-iot"),), own


def _start_appliances(lab: Lab, members: Members, state: State, ports: _Ports) -> None:
    for role, case in members.appliances:
        endpoint = Endpoint(ports.next())
        one = Appliance(case.name, role, case.hosts[0], endpoint, state, lab.clock)
        one.begin(None if case.name in members.fresh else _credential(case, lab.passphrases))
        lab.appliances[one.name] = one


def _credential(case: Case, passphrases: Passphrases) -> Credential:
    paths = [path for path in (case.certificate, case.key, case.chain) if path.is_file()]
    if not paths:
        raise InputError(f"'{case.name}' has no files; build the environment again")
    passphrase = passphrases.of(case)
    return read_credential(paths, [] if passphrase is None else [passphrase])


def _receivers(
    lab: Lab, members: Members, state: State, ports: _Ports
) -> tuple[list[SyslogServer], list[HttpsSite]]:
    syslogs, hosts = list[SyslogServer](), list[HttpsSite]()
    for rule in members.settings.forwarding:
        if rule.address is not None:
            if rule.name in members.receivers:
                lab.external_receivers[rule.name] = members.receivers[rule.name].name
            continue
        case = members.receivers[rule.name]
        receiver = Receiver(rule.name, rule.to, case.name, case.hosts[0], ports.next(), lab.clock)
        lab.receivers[rule.name] = receiver
        context = _receiver_context(state, rule.name, _credential(case, lab.passphrases))
        if rule.to == "syslog":
            syslogs.append(SyslogServer(receiver, context))
        else:
            app = Starlette(routes=[Route("/", receiver.webhook, methods=["POST"])])
            hosts.append(HttpsSite(receiver.listener, app, context))
    return syslogs, hosts


def _receiver_context(state: State, name: str, credential: Credential) -> ssl.SSLContext:
    path = state.write(f"receiver-{name}.pem", credential.as_file())
    try:
        return server_context(path)
    except (ssl.SSLError, ValueError) as error:
        words = f"{name}: OpenSSL cannot present its certificate: {openssl_reason(error)}"
        raise InputError(words) from error


def _connections(
    lab: Lab, members: Members, sets: tuple[RequirementSet, ...], cancel_token: CancelToken
) -> Iterator[Connection]:
    def connection(sender: Appliance, target: Target, *, mutual: bool = False) -> Connection:
        return Connection(sender, target, lab.policy_of, sets[0], lab.secret, cancel_token, mutual)

    sensors = [one for one in lab.appliances.values() if one.role is Role.SENSOR]
    console = lab.console
    for one in sensors:
        yield connection(one, _target(console), mutual=True)
    for one in lab.appliances.values():
        if one.role is Role.SECONDARY:
            yield connection(console, _target(one))
    for rule in members.settings.forwarding:
        receiver = lab.receivers.get(rule.name)
        if receiver is not None:
            address = receiver.listener.here
        else:
            host, _, port = str(rule.address).rpartition(":")
            address = (host.strip("[]"), int(port))
        case = members.receivers.get(rule.name)
        host = rule.host or (case.hosts[0] if case else "")
        target = Target(rule.name, rule.to, host, address)
        for sender in sensors if rule.sender == "sensors" else [console]:
            yield connection(sender, target)


def _target(one: Appliance) -> Target:
    return Target(one.name, str(one.role), one.host, one.endpoint.listener.here, one)


def _restore_outboxes(lab: Lab, state: State) -> None:
    saved = state.read_json(_OUTBOXES)
    for connection in lab.connections:
        try:
            connection.outbox = Outbox(map(parse_alert, saved.get(connection.id, ())))
        except (TypeError, ValueError):
            connection.outbox = Outbox()


@contextmanager
def _running(server: SyslogServer, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(_SECONDS)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(_SECONDS)
