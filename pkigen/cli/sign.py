"""``pkigen sign``."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._completion import complete_fault
from pkigen.cli._console import print_line, print_message
from pkigen.cli._options import EnvironmentDirectory, Json, parse_time
from pkigen.cli.break_ import fault_request
from pkigen.errors import InputError

if TYPE_CHECKING:
    from pkigen.environment.enrol import Enrolled
    from pkigen.profile.certification_request import Requested

HELP_ORDER = 45
_STANDARD_INPUT = Path("-")


def sign(
    env: EnvironmentDirectory,
    csr: Annotated[
        Path,
        typer.Option(
            "--csr",
            metavar="FILE",
            help="Certification request (PKCS#10), PEM or DER; - for standard input.",
        ),
    ],
    template: Annotated[
        str, typer.Option("--template", metavar="NAME", help="Template of the profile (`enrolment:`).")
    ] = "",
    issuer: Annotated[
        str, typer.Option("--issuer", metavar="CA", help="Issuing CA, if the profile has several.")
    ] = "",
    name: Annotated[
        str,
        typer.Option("--name", metavar="NAME", help="Name of the certificate; by default its common name."),
    ] = "",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="ID",
            help="Fault of the certificate; can be repeated.",
            autocompletion=complete_fault,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Start of the validity: now, ISO 8601, or e.g. -30d."),
    ] = None,
    passphrase_file: Annotated[
        list[Path] | None,
        typer.Option("--passphrase-file", metavar="FILE", help="Passphrase of the CA's key."),
    ] = None,
    json: Json = False,
) -> None:
    """Issue a certificate for the request of a device.

    The device keeps its private key. Without --template, the subject and the alternative names come from
    the request, and everything else from the profile's defaults. The certificate is in
    ENV/certificates/NAME. It can be revoked like any other, and builds keep it. A request that is
    rejected changes nothing (exit code 1).

    \b
    Examples:
      pkigen sign out/minimal --csr device.csr
      pkigen sign out/minimal --csr device.csr --fault expired
    """
    from pkigen.environment.sign import sign as sign_request
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.profile.certification_request import read_request, read_request_file

    data = _read_standard_input() if csr == _STANDARD_INPUT else read_request_file(csr)
    try:
        requested = read_request(data)
    except InputError as error:
        raise InputError(f"{_name(csr)}: {error}") from error
    for line in _request_lines(csr, requested):
        print_message(line)
    enrolled = sign_request(
        env,
        data,
        template=template,
        issuer=issuer,
        name=name,
        faults=map(fault_request, fault or ()),
        at=parse_time(at),
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    if json:
        print_line(json_.dumps(_as_json(env, requested, enrolled)))
        return
    for label, value in _result(env, enrolled):
        print_line(f"  {label:<12}{value}")


def _name(csr: Path) -> str:
    return "standard input" if csr == _STANDARD_INPUT else str(csr)


def _read_standard_input() -> bytes:
    from pkigen.documents.limits import KEY_FILE_BYTES

    data = sys.stdin.buffer.read(KEY_FILE_BYTES + 1)
    if len(data) > KEY_FILE_BYTES:
        raise InputError(f"standard input has more than {KEY_FILE_BYTES} bytes, too many for a request")
    return data


def _request_lines(csr: Path, requested: Requested) -> list[str]:
    """Return what a request asks for, before it is granted."""
    asks = _asks_for(requested)
    place = "on standard input" if csr == _STANDARD_INPUT else csr
    lines = [f"The request {place} asks for:"]
    lines += [f"  {label:<12}{value}" for label, value in asks.items() if value]
    return lines


def _asks_for(requested: Requested) -> dict[str, str]:
    from pkigen.asn1 import names, oids

    others = [one.title for one in requested.extensions if one.oid != oids.SUBJECT_ALTERNATIVE_NAME]
    ignored = ", ".join(others)
    return {
        "subject": names.text(requested.subject),
        "names": ", ".join(f"{one.kind}:{one.value}" for one in requested.names),
        "key": requested.key_kind,
        "also": f"{ignored} (not granted: the template decides)" if ignored else "",
    }


def _result(env: Path, enrolled: Enrolled) -> list[tuple[str, str]]:
    return [
        ("certificate", str(env / "certificates" / enrolled.name / f"{enrolled.name}.crt")),
        ("chain", str(env / "certificates" / enrolled.name / "chain.pem")),
        ("issuer", enrolled.issuer),
        ("serial", f"{enrolled.serial:x}"),
        ("valid until", f"{enrolled.not_after:%Y-%m-%d %H:%M:%S} UTC"),
    ]


def _as_json(env: Path, requested: Requested, enrolled: Enrolled) -> dict[str, object]:
    folder = env / "certificates" / enrolled.name
    return {
        "name": enrolled.name,
        "issuer": enrolled.issuer,
        "serial": f"{enrolled.serial:x}",
        "not_before": enrolled.not_before.isoformat(),
        "not_after": enrolled.not_after.isoformat(),
        "certificate": str(folder / f"{enrolled.name}.crt"),
        "chain": str(folder / "chain.pem"),
        "request": _asks_for(requested),
    }
