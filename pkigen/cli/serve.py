"""``pkigen serve``."""

from __future__ import annotations

import json as json_
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated
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
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pkigen.serve.server import Listener


def serve(
    env: EnvironmentDirectory,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The port; 0 is any free one.")
    ] = 8080,
    tls_port: Annotated[
        int | None,
        typer.Option(
            "--tls-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Present the certificates over TLS at this port, by the host name asked for.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="What its clock begins at: 2026-01-31 or +40d; else now."),
    ] = None,
    control_port: Annotated[
        int | None,
        typer.Option(
            "--control-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Take orders at this port of 127.0.0.1: faults put and taken away, requests awaited.",
        ),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Serve an environment's CRLs and OCSP, and its certificates.

    Over HTTP there are its CRLs and CA certificates. The URL goes to stdout, a line for each request to
    stderr. A CRL that is published anew is served at once, and one whose time is nearly up is published anew.
    With --at CRLs and OCSP answers are signed as of that time. Ctrl-C or SIGTERM ends it.

    With --tls-port, https://HOST:PORT/ presents the certificate that is for HOST as it stands, right or
    wrong, with what its case says of the handshake, and answers a page that says what is wrong with it.
    Names come from `pkigen hosts`. Who asks for none that is known gets the first sound certificate.

    With --control-port, programs on this machine can have it answer wrong for a while, and see what it is
    asked: docs/serving.md tells how. Where, and the token for it, stand in ENV/.pkigen/control.json.

    \b
    Examples:
      pkigen serve out/defender-iot --port 8080
      pkigen serve out/badssl-offline --tls-port 8443
      pkigen serve out/defender-iot --at +40d
    """
    from pkigen.clock import going_on_from, utc_now
    from pkigen.environment.crl.upkeep import Upkeep
    from pkigen.environment.environment import open_environment
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.serve.app import application
    from pkigen.serve.control import controlled
    from pkigen.serve.live import Live
    from pkigen.serve.server import listen, run
    from pkigen.serve.upkeep import kept_up

    environment = open_environment(env)
    base_url = str(environment.manifest["base_url"])
    begins = parse_time(at)
    clock = utc_now if begins is None else going_on_from(begins)
    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    upkeep = Upkeep(env, clock, print_message, passphrases)
    live = None if control_port is None else Live(env, clock, passphrases)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(host, port))
        stack.enter_context(kept_up(upkeep, print_message))
        tls = None
        if tls_port is not None:
            tls = _endpoints(stack, env, host, tls_port, passphrases, clock)
        app = application(environment, clock, tls.port if tls else None, live, passphrases)
        control, door = None, None
        if live is not None and control_port is not None:
            control, door = stack.enter_context(controlled(env, live, control_port, print_message)), live.door
        run(app, listener, lambda: _announce(listener, tls, control, env, base_url, json), door)
    print_message("Stopped.")


def _endpoints(
    stack: ExitStack,
    env: Path,
    host: str,
    port: int,
    passphrases: Sequence[bytes],
    clock: Callable[[], datetime],
) -> Listener:
    """The TLS endpoints, started; they end with the stack."""
    from pkigen.serve.server import listen
    from pkigen.serve.tls.case_selection import Directory
    from pkigen.serve.tls.server import background

    directory = Directory(env, passphrases, clock)
    directory.names()
    listener = stack.enter_context(listen(host, port, "https"))
    stack.enter_context(background(directory, listener))
    return listener


def _announce(
    listener: Listener, tls: Listener | None, control: Listener | None, env: Path, base_url: str, json: bool
) -> None:
    """The URL comes last: who waits for it may end the server at once."""
    if tls is not None:
        print_message(f"TLS endpoints at {tls.url}: pkigen hosts {env} --tls-port {tls.port} --curl")
    if not _leads_here(base_url, listener):
        print_message(f"The certificates point to {base_url}: clients must find that name and port here.")
    print_message("Serving. Ctrl-C ends it.")
    url = listener.url
    told: dict[str, object] = {"url": url, "host": listener.host, "port": listener.port}
    if tls is not None:
        told |= {"tls_url": tls.url, "tls_port": tls.port}
    if control is not None:
        told |= {"control_url": control.url}
    print_line(json_.dumps(told) if json else url, flush=True)


def _leads_here(base_url: str, listener: Listener) -> bool:
    """Whether the URL in the certificates is this server's, as far as can be told without asking."""
    named = urlsplit(base_url)
    port = named.port or (443 if named.scheme == "https" else 80)
    everywhere = listener.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    return port == listener.port and (everywhere or named.hostname in (listener.host, "localhost"))
