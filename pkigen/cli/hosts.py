"""``pkigen hosts``."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    printable,
)
from pkigen.cli._options import EnvironmentDirectory, Json

if TYPE_CHECKING:
    from pkigen.environment.environment import Case

HELP_ORDER = 180
_DEFAULT_PORT = 8443


def hosts(
    env: EnvironmentDirectory,
    address: Annotated[
        str, typer.Option("--address", metavar="ADDRESS", help="IP address that the host names resolve to.")
    ] = "127.0.0.1",
    tls_port: Annotated[
        int,
        typer.Option("--tls-port", metavar="PORT", min=1, max=65535, help="TLS port of `pkigen serve`."),
    ] = _DEFAULT_PORT,
    curl: Annotated[
        bool,
        typer.Option("--curl", help="Print a curl command for each certificate instead of hosts file lines."),
    ] = False,
    json: Json = False,
) -> None:
    """Print host names as hosts file entries or curl commands.

    Each line is a hosts file entry; its comment contains the URL and the expected verdict of TLS clients.

    With --curl, no hosts file is needed: each command uses `--resolve` and the trust anchors of its case. A
    label replaces a wildcard. If two certificates have the same name, `pkigen serve` presents the first. A
    certificate that has only IP addresses is not listed; connect to its address. Certificates that are not
    for TLS servers are not listed.

    \b
    Examples:
      pkigen hosts out/badssl-offline | sudo tee -a /etc/hosts
      pkigen hosts out/badssl-offline --tls-port 8443 --curl
    """
    from pkigen.environment.environment import open_environment
    from pkigen.serve.tls.endpoint_names import named_endpoints

    try:
        ip_address(address)
    except ValueError:
        raise typer.BadParameter(f"'{address}' is not an IP address", param_hint="'--address'") from None
    endpoints = list(named_endpoints(open_environment(env).cases()))
    if json:
        print_json([_endpoint_json(case, name, address, tls_port) for case, name in endpoints])
        return
    for case, name in endpoints:
        url = f"https://{name}:{tls_port}/"
        line = _curl(case, name, address, tls_port) if curl else f"{address} {name}"
        comment = case.name if curl else f"{url} {case.name}"
        print_line(printable(f"{line}  # {comment}: {_expected(case)}"))
    if not endpoints:
        print_message("No certificate for TLS servers in this environment has a host name.")


def _curl(case: Case, name: str, address: str, port: int) -> str:
    """Return a shell command; with several trust anchors it needs bash, which concatenates them."""
    anchors = [quote(str(path)) for path in _anchors(case)]
    trust = anchors[0] if len(anchors) == 1 else f"<(cat {' '.join(anchors)})"
    where = f"[{address}]" if ":" in address else address
    return f"curl --cacert {trust} --resolve {name}:{port}:{where} https://{name}:{port}/"


def _anchors(case: Case) -> list[Path]:
    return [case.folder / path for path in case.data["trust"]]


def _expected(case: Case) -> str:
    from pkigen.serve.tls.expected import expected_over_tls

    return " ".join(filter(None, (expected_over_tls(case.data), f"({case.fault})" if case.fault else "")))


def _endpoint_json(case: Case, name: str, address: str, port: int) -> dict[str, object]:
    from pkigen.serve.tls.expected import expected_over_tls

    return {
        "name": case.name,
        "host": name,
        "address": address,
        "url": f"https://{name}:{port}/",
        "trust": list(map(str, _anchors(case))),
        "expected": expected_over_tls(case.data),
    }
