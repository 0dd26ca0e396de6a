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


def revoke(
    env: EnvironmentDirectory,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Certificates or authorities.")],
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="CODE", help="The reason code by its RFC 5280 name."),
    ] = "unspecified",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When: 2026-01-31T12:00Z or -2d; now if not said."),
    ] = None,
    invalid_since: Annotated[
        str | None,
        typer.Option("--invalid-since", metavar="TIME", help="Since when its key is not to be trusted."),
    ] = None,
    serial: Annotated[
        str | None,
        typer.Option("--serial", metavar="HEX", help="A former certificate of NAME, by serial number."),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Revoke certificates, and publish the CRLs that say so.

    When it returns the CRLs are in place, and a server that runs gives them and OCSP answers from the next
    request on. Builds keep the revocation. Reason codes: keyCompromise, cACompromise, affiliationChanged,
    superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise, unspecified.

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
