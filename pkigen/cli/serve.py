"""``pkigen serve``."""

from __future__ import annotations

import json as json_
import sys
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from pkigen.cli._console import print_line, print_message
from pkigen.cli._options import (
    EnvironmentDirectory,
    Json,
    PassphraseFiles,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from starlette.routing import Route

    from pkigen.enrolment.faults import EnrolmentFaults
    from pkigen.enrolment.server import EnrolmentServer
    from pkigen.environment.enrol import Enroller
    from pkigen.environment.environment import Environment
    from pkigen.serve.faults.rules import Rule
    from pkigen.serve.http.server import Listener

HELP_ORDER = 170
_HTTP_PORT = 8080


def serve(
    env: EnvironmentDirectory,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="IP address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="HTTP port, e.g. --port 8080; 0 selects a free port (default: the port of base_url).",
        ),
    ] = None,
    tls_port: Annotated[
        int | None,
        typer.Option(
            "--tls-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Also start TLS endpoints on this port, one per host name (SNI); 0 selects a free port "
            "(default: no TLS).",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Start the server's clock at TIME: 2026-01-31 or +40d (default: now).",
        ),
    ] = None,
    control_port: Annotated[
        int | None,
        typer.Option(
            "--control-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Also start the control API on this port of 127.0.0.1, to add and remove faults and to wait "
            "for requests; 0 selects a free port (default: no control API).",
        ),
    ] = None,
    enrol_port: Annotated[
        int | None,
        typer.Option(
            "--enrol-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Also start the enrollment server on this port, for the templates of the profile's section "
            "enrolment; 0 selects a free port (default: no enrollment).",
        ),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Serve CRLs, CA certificates, OCSP, TLS and enrollment.

    The URL goes to stdout, an access log to stderr. The server publishes CRLs at the port and path of the
    URLs that the certificates contain (base_url of the profile), serves every new CRL immediately, and
    refreshes CRLs before they expire. If base_url is https, or if this user may not use its port, the server
    uses port 8080 and prints which forwarding is needed. With --at, CRLs and OCSP responses are signed as of
    that time. Stop the server with Ctrl-C or SIGTERM.

    With --tls-port, https://HOST:PORT/ presents the certificate for HOST unmodified, with the handshake
    behavior that its case defines. The page there describes its fault. `pkigen hosts` lists the host names. A
    client that requests an unknown name gets the first certificate without a fault.

    With --control-port, other programs on this machine can inject faults at run time and inspect requests:
    see docs/serving.md. ENV/.pkigen/control.json contains the URL and the access token.

    With --enrol-port, devices request certificates over HTTPS through the protocols that the templates of the
    profile name, and renew them: see docs/enrolment. SCEP and CMP are also available at the HTTP URL.

    \b
    Examples:
      pkigen serve out/defender-iot --port 8080
      pkigen serve out/badssl-offline --tls-port 8443
      pkigen serve out/defender-iot --at +40d
      pkigen serve out/devices --enrol-port 8444
    """
    from pkigen.clock import going_on_from, utc_now
    from pkigen.environment.crl.upkeep import Upkeep
    from pkigen.environment.environment import open_environment
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.serve.control.api import controlled
    from pkigen.serve.control.runtime_faults import RuntimeFaults
    from pkigen.serve.crl_upkeep import crl_upkeep
    from pkigen.serve.http.app import application
    from pkigen.serve.http.server import run

    environment = open_environment(env)
    base_url = environment.base_url
    begins = parse_time(at)
    clock = utc_now if begins is None else going_on_from(begins)
    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    _warn_of_locked_keys(environment, passphrases)
    upkeep = Upkeep(env, clock, print_message, passphrases)
    live = None if control_port is None else RuntimeFaults(env, clock, passphrases)
    with ExitStack() as stack:
        listener = _http_listener(stack, host, port, environment.http_port)
        stack.enter_context(crl_upkeep(upkeep, print_message))
        tls = None
        if tls_port is not None:
            rules = tuple if live is None else partial(getattr, live, "rules")
            tls = _endpoints(stack, env, host, tls_port, passphrases, clock, rules)
        enrolment, routes, control_routes = None, list["Route"](), list["Route"]()
        if enrol_port is not None:
            from pkigen.enrolment.control import control_routes as enrolment_control
            from pkigen.enrolment.dns import TxtRecords
            from pkigen.enrolment.faults import EnrolmentFaults
            from pkigen.enrolment.server import routes as enrolment_routes
            from pkigen.enrolment.state import state_of
            from pkigen.environment.enrol import Enroller

            enroller = Enroller(env, clock=clock, passphrases=passphrases)
            faults = EnrolmentFaults.of_templates(enroller.templates.values())
            routes = enrolment_routes(enroller, faults, over_tls=False)
            control_routes = enrolment_control(faults, TxtRecords(state_of(enroller)))
            enrolment = _enrolment(stack, enroller, faults, host, enrol_port, passphrases)
        app = application(environment, clock, tls.port if tls else None, live, passphrases, routes)
        control, port_switch = None, None
        if live is not None and control_port is not None:
            control = stack.enter_context(controlled(env, live, control_port, print_message, control_routes))
            port_switch = live.port_switch
        announce = partial(_announce, listener, tls, control, enrolment, env, base_url, json)
        run(app, listener, announce, port_switch)
    print_message("Stopped.")


def _warn_of_locked_keys(environment: Environment, passphrases: Sequence[bytes]) -> None:
    """Name the CAs whose CRLs or OCSP responses cannot be signed for lack of a passphrase."""
    from pkigen.environment.published.stored_keys import is_locked

    cases = {case.name: case.data for case in environment.cases()}

    def warn(signer: Mapping[str, Any], effect: str) -> None:
        key = signer["files"].get("key")
        if key and is_locked(environment.folder / key, passphrases):
            print_message(
                f"Warning: the key of {signer['name']} is encrypted; without its passphrase "
                f"(--passphrase-file), this server {effect}."
            )

    for authority in environment.manifest["authorities"]:
        name, responder = authority["name"], (authority["ocsp"] or {}).get("responder")
        if authority["crl"]:
            warn(authority, f"does not refresh the CRL of {name}")
        if authority["ocsp"] and responder in (None, *cases):
            signer = cases[responder] if responder else authority
            warn(signer, f"answers OCSP requests about certificates of {name} with 'unauthorized'")


def _http_listener(stack: ExitStack, host: str, port: int | None, base_port: int | None) -> Listener:
    """Listen on ``port``; by default on the base URL's port, or on _HTTP_PORT if that is not permitted."""
    from pkigen.serve.http.server import PortNotPermitted, listen

    if port is not None:
        return stack.enter_context(listen(host, port))
    if base_port is not None:
        try:
            return stack.enter_context(listen(host, base_port))
        except PortNotPermitted as error:
            print_message(f"Warning: {error}")
    return stack.enter_context(listen(host, _HTTP_PORT))


def _endpoints(
    stack: ExitStack,
    env: Path,
    host: str,
    port: int,
    passphrases: Sequence[bytes],
    clock: Callable[[], datetime],
    rules: Callable[[], tuple[Rule, ...]],
) -> Listener:
    """Start the TLS endpoints; they stop when the stack is closed."""
    from pkigen.serve.http.server import listen
    from pkigen.serve.tls.case_selection import CaseSelector
    from pkigen.serve.tls.server import background

    selector = CaseSelector(env, passphrases, clock, rules)
    selector.cases()
    listener = stack.enter_context(listen(host, port, "https"))
    stack.enter_context(background(selector, listener))
    return listener


def _enrolment(
    stack: ExitStack,
    enroller: Enroller,
    faults: EnrolmentFaults,
    host: str,
    port: int,
    passphrases: Sequence[bytes],
) -> EnrolmentServer:
    """Start the enrollment server; it stops when the stack is closed."""
    from pkigen.enrolment.server import serving
    from pkigen.serve.http.access_log import AccessLog
    from pkigen.serve.http.server import listen

    listener = stack.enter_context(listen(host, port, "https", "--enrol-port"))
    log = AccessLog(sys.stderr)
    stack.callback(log.flush)
    return stack.enter_context(serving(enroller, listener, passphrases, log, faults))


def _announce(
    listener: Listener,
    tls: Listener | None,
    control: Listener | None,
    enrolment: EnrolmentServer | None,
    env: Path,
    base_url: str,
    json: bool,
) -> None:
    """Print the URLs, the HTTP URL last: a caller that waits for it may stop the server right away."""
    if tls is not None:
        print_message(f"TLS endpoints at {tls.url}: pkigen hosts {env} --tls-port {tls.port} --curl")
    if enrolment is not None:
        print_message(f"Enrollment at {enrolment.url}; clients must trust {env / 'trust.pem'}")
        for service in enrolment.services:
            print_message(f"  {service.template} through {service.protocol.upper()}: {service.url}")
        if enrolment.dns_port is not None:
            print_message(f"TXT records for dns-01: UDP port {enrolment.dns_port}")
    if notice := _forwarding(base_url, listener):
        print_message(notice)
    print_message("Serving. Press Ctrl-C to stop.")
    url = listener.url
    addresses: dict[str, object] = {"url": url, "host": listener.host, "port": listener.port}
    if tls is not None:
        addresses |= {"tls_url": tls.url, "tls_port": tls.port}
    if control is not None:
        addresses |= {"control_url": control.url}
    if enrolment is not None:
        services = [asdict(service) for service in enrolment.services]
        addresses |= {"enrol_url": enrolment.url, "enrolment": services}
        if enrolment.dns_port is not None:
            addresses |= {"dns_port": enrolment.dns_port}
    print_line(json_.dumps(addresses) if json else url, flush=True)


def _forwarding(base_url: str, listener: Listener) -> str:
    """Return what is needed so that the URLs in the certificates lead to this server; empty if nothing is.

    Host names are not resolved.
    """
    url = urlsplit(base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    is_wildcard = listener.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    contain = f"The certificates contain URLs below {base_url}"
    if url.scheme == "https":
        return f"Warning: {contain}, but this server is at {listener.url}. Forward with a TLS proxy."
    if port != listener.port:
        return (
            f"Warning: {contain}, but this server is at {listener.url}. "
            f"Forward with a proxy or NAT, or use --port {port}."
        )
    if is_wildcard or url.hostname in (listener.host, "localhost"):
        return ""
    return f"{contain}: clients must reach this server there."
