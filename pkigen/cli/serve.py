"""``pkigen serve``."""

from __future__ import annotations

import json as json_
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from pkigen.cli._console import give, say
from pkigen.cli._options import EnvironmentFolder, Json, PassphraseFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pkigen.serve.server import Listener


def serve(
    env: EnvironmentFolder,
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
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Serve an environment's CRLs and OCSP, and its certificates.

    Over HTTP there are its CRLs and CA certificates. The URL goes to stdout, a line for each request to
    stderr. A CRL that is published anew is served at once. Ctrl-C or SIGTERM ends it.

    With --tls-port, https://HOST:PORT/ presents the certificate that is for HOST as it stands, right or
    wrong, with what its case says of the handshake, and answers a page that says what is wrong with it.
    Names come from `pkigen hosts`. Who asks for none that is known gets the first sound certificate.

    \b
    Examples:
      pkigen serve out/defender-iot --port 8080
      pkigen serve out/badssl-offline --tls-port 8443
    """
    from pkigen.environment import open_environment
    from pkigen.serve.app import application
    from pkigen.serve.server import listen, run

    environment = open_environment(env)
    base_url = str(environment.manifest["base_url"])
    app = application(environment)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(host, port))
        tls = None
        if tls_port is not None:
            tls = _endpoints(stack, env, host, tls_port, passphrase_file or [])
        run(app, listener, lambda: _announce(listener, tls, env, base_url, json))
    say("Stopped.")


def _endpoints(
    stack: ExitStack, env: Path, host: str, port: int, passphrase_files: Sequence[Path]
) -> Listener:
    """The TLS endpoints, started; they end with the stack."""
    from pkigen.artefacts import read_passphrase
    from pkigen.serve.server import listen
    from pkigen.serve.tls.directory import Directory
    from pkigen.serve.tls.server import background

    directory = Directory(env, tuple(map(read_passphrase, passphrase_files)))
    directory.names()
    listener = stack.enter_context(listen(host, port, "https"))
    stack.enter_context(background(directory, listener))
    return listener


def _announce(listener: Listener, tls: Listener | None, env: Path, base_url: str, json: bool) -> None:
    """The URL comes last: who waits for it may end the server at once."""
    if tls is not None:
        say(f"TLS endpoints at {tls.url}: pkigen hosts {env} --tls-port {tls.port} --curl")
    if not _leads_here(base_url, listener):
        say(f"The certificates point to {base_url}: clients must find that name and port here.")
    say("Serving. Ctrl-C ends it.")
    url = listener.url
    told: dict[str, object] = {"url": url, "host": listener.host, "port": listener.port}
    if tls is not None:
        told |= {"tls_url": tls.url, "tls_port": tls.port}
    give(json_.dumps(told) if json else url, flush=True)


def _leads_here(base_url: str, listener: Listener) -> bool:
    """Whether the URL in the certificates is this server's, as far as can be told without asking."""
    named = urlsplit(base_url)
    port = named.port or (443 if named.scheme == "https" else 80)
    everywhere = listener.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    return port == listener.port and (everywhere or named.hostname in (listener.host, "localhost"))
