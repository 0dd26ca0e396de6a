"""``pkigen revoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._completion import complete_reason
from pkigen.cli._options import (
    EnvironmentDirectory,
    Json,
    PassphraseFiles,
    parse_time,
)
from pkigen.cli._revocation import IssuedBy, Names, Serial

HELP_ORDER = 60


def revoke(
    env: EnvironmentDirectory,
    names: Names = None,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="CODE",
            help="Reason code by its RFC 5280 name.",
            autocompletion=complete_reason,
        ),
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
    serial: Serial = None,
    issued_by: IssuedBy = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Revoke certificates and publish the updated CRLs.

    When the command returns, the CRLs are published, and a running `pkigen serve` uses them and the new OCSP
    status from the next request on. Reason codes: keyCompromise, cACompromise, affiliationChanged,
    superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise, unspecified.

    Later builds keep the revocation, also if the certificate leaves the profile. If a build reissues the
    certificate, the reason decides: after keyCompromise, cACompromise or aACompromise the new certificate has
    a new key and is valid; after superseded it is valid; for every other reason it is revoked as well.

    \b
    Examples:
      pkigen revoke out/defender-iot sensor-01 --reason keyCompromise
      pkigen revoke out/defender-iot sensor-02 --reason certificateHold
      pkigen revoke out/defender-iot sensor-03 --at -2d --invalid-since -10d
      pkigen revoke out/defender-iot sensor-04 --serial 5f3a
      pkigen revoke out/defender-iot --issued-by ot-issuing --serial 1a2b
    """
    from pkigen.cli._revocation import parse_reason, parse_serial, print_revocation
    from pkigen.environment.revoke import revoke as revoke_certificates
    from pkigen.inspection.artifacts import read_passphrase

    result = revoke_certificates(
        env,
        names or (),
        reason=parse_reason(reason),
        at=parse_time(at),
        invalid_since=parse_time(invalid_since, "--invalid-since"),
        serial=parse_serial(serial),
        issued_by=issued_by,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    print_revocation(result, "revoked", as_json=json)
