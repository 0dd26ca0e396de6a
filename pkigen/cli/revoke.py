"""``pkigen revoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import (
    EnvironmentDirectory,
    Json,
    PassphraseFiles,
    parse_time,
)

HELP_ORDER = 60


def revoke(
    env: EnvironmentDirectory,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of certificates or CAs.")],
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="CODE", help="Reason code by its RFC 5280 name."),
    ] = "unspecified",
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="Revocation date: 2026-01-31T12:00Z or -2d (default: now)."
        ),
    ] = None,
    invalid_since: Annotated[
        str | None,
        typer.Option(
            "--invalid-since",
            metavar="TIME",
            help="Invalidity date: when the key was probably compromised (default: no invalidityDate).",
        ),
    ] = None,
    serial: Annotated[
        str | None,
        typer.Option(
            "--serial",
            metavar="HEX",
            help="Serial number of an earlier certificate of NAME (default: its current certificate).",
        ),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Revoke certificates and publish the updated CRLs.

    When the command returns, the CRLs are published, and a running `pkigen serve` uses them and the new OCSP
    status from the next request on. Later builds keep the revocation. Reason codes: keyCompromise,
    cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn,
    aACompromise, unspecified.

    \b
    Examples:
      pkigen revoke out/defender-iot sensor-01 --reason keyCompromise
      pkigen revoke out/defender-iot sensor-02 --reason certificateHold
      pkigen revoke out/defender-iot sensor-03 --at -2d --invalid-since -10d
    """
    from pkigen.cli._revocation import parse_reason, parse_serial, print_revocation
    from pkigen.environment.revoke import revoke as revoke_certificates
    from pkigen.inspection.artifacts import read_passphrase

    result = revoke_certificates(
        env,
        names,
        reason=parse_reason(reason),
        at=parse_time(at),
        invalid_since=parse_time(invalid_since, "--invalid-since"),
        serial=parse_serial(serial),
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    print_revocation(result, "revoked", as_json=json)
