"""``pkigen serve``."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from pkigen.cli._console import give, say
from pkigen.cli._options import EnvironmentFolder, Json

if TYPE_CHECKING:
    from pkigen.serve.server import Listener


def serve(
    env: EnvironmentFolder,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The port; 0 is any free one.")
    ] = 8080,
    json: Json = False,
) -> None:
    """Serve an environment: its CRLs and CA certificates over HTTP.

    The URL goes to stdout, a line for each request to stderr. A CRL that is published anew is
    served at once. Ctrl-C or SIGTERM ends it.

    \b
    Example:
      pkigen serve out/defender-iot --port 8080
    """
    from pkigen.environment import open_environment
    from pkigen.serve.app import application
    from pkigen.serve.server import listen, run

    environment = open_environment(env)
    base_url = str(environment.manifest["base_url"])
    app = application(environment)
    with listen(host, port) as listener:
        run(app, listener, lambda: _announce(listener, base_url, json))
    say("Stopped.")


def _announce(listener: Listener, base_url: str, json: bool) -> None:
    """The URL comes last: who waits for it may end the server at once."""
    if not _leads_here(base_url, listener):
        say(f"The certificates point to {base_url}: clients must find that name and port here.")
    say("Serving. Ctrl-C ends it.")
    url = listener.url
    give(json_.dumps({"url": url, "host": listener.host, "port": listener.port}) if json else url, flush=True)


def _leads_here(base_url: str, listener: Listener) -> bool:
    """Whether the URL in the certificates is this server's, as far as can be told without asking."""
    named = urlsplit(base_url)
    port = named.port or (443 if named.scheme == "https" else 80)
    everywhere = listener.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    return port == listener.port and (everywhere or named.hostname in (listener.host, "localhost"))
