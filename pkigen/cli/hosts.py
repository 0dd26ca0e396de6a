"""``pkigen hosts``."""

from __future__ import annotations

from collections.abc import Iterator
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

_USUAL_PORT = 8443
_ANY_LABEL = "any"


def hosts(
    env: EnvironmentDirectory,
    address: Annotated[
        str, typer.Option("--address", metavar="ADDRESS", help="Where the names are to lead.")
    ] = "127.0.0.1",
    tls_port: Annotated[
        int,
        typer.Option("--tls-port", metavar="PORT", min=1, max=65535, help="The port of `pkigen serve`."),
    ] = _USUAL_PORT,
    curl: Annotated[
        bool,
        typer.Option("--curl", help="A curl command for each certificate, in place of lines for a file."),
    ] = False,
    json: Json = False,
) -> None:
    """Print host names of an environment, for hosts file or curl.

    Each line is one for a hosts file, with the URL and what is to be expected as a comment.

    With --curl nothing needs to be written anywhere: each command finds its certificate with `--resolve`,
    and trusts what its case says. A label stands in for a wildcard. Of two certificates for the same
    name, `pkigen serve` presents the first; a certificate for addresses alone is found at its address.

    \b
    Examples:
      pkigen hosts out/badssl-offline | sudo tee -a /etc/hosts
      pkigen hosts out/badssl-offline --tls-port 8443 --curl
    """
    from pkigen.environment.environment import open_environment

    endpoints = list(_endpoints(open_environment(env).cases()))
    if json:
        print_json([_told(case, name, address, tls_port) for case, name in endpoints])
        return
    for case, name in endpoints:
        url = f"https://{name}:{tls_port}/"
        line = _curl(case, name, address, tls_port) if curl else f"{address} {name}"
        comment = case.name if curl else f"{url} {case.name}"
        print_line(printable(f"{line}  # {comment}: {_expected(case)}"))
    if not endpoints:
        print_message("No certificate of this environment has a host name.")


def _endpoints(cases: Iterator[Case]) -> Iterator[tuple[Case, str]]:
    """Each host name with the certificate that is presented for it."""
    seen = set[str]()
    for case in cases:
        for host in case.hosts:
            name = host.lower().removesuffix(".")
            if _is_name(name) and name not in seen:
                seen.add(name)
                yield case, _ANY_LABEL + name[1:] if name.startswith("*.") else name


def _is_name(host: str) -> bool:
    """Whether a hosts file can hold it (RFC 952, with the underscore of many): no address, no text."""
    try:
        ip_address(host)
    except ValueError:
        labels = host.removeprefix("*.").split(".")
        return all(label.replace("-", "").replace("_", "").isalnum() and label.isascii() for label in labels)
    return False


def _curl(case: Case, name: str, address: str, port: int) -> str:
    """A command for a shell; of several anchors bash makes one file."""
    anchors = [quote(str(path)) for path in _anchors(case)]
    trust = anchors[0] if len(anchors) == 1 else f"<(cat {' '.join(anchors)})"
    where = f"[{address}]" if ":" in address else address
    return f"curl --cacert {trust} --resolve {name}:{port}:{where} https://{name}:{port}/"


def _anchors(case: Case) -> list[Path]:
    return [case.folder / path for path in case.data["trust"]]


def _expected(case: Case) -> str:
    verdict, fault = case.data["verdict"], case.data.get("fault")
    return " ".join(filter(None, (verdict["expected"], f"({fault['id']})" if fault else "")))


def _told(case: Case, name: str, address: str, port: int) -> dict[str, object]:
    return {
        "name": case.name,
        "host": name,
        "address": address,
        "url": f"https://{name}:{port}/",
        "trust": list(map(str, _anchors(case))),
        "expected": case.data["verdict"]["expected"],
    }
