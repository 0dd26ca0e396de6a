"""``pkigen unrevoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import EnvironmentDirectory, Json, PassphraseFiles
from pkigen.cli._revocation import IssuedBy, Names, Serial

HELP_ORDER = 70


def unrevoke(
    env: EnvironmentDirectory,
    names: Names = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Lift revocations with other reasons too; a real CA never does this (RFC 5280)."
        ),
    ] = False,
    serial: Serial = None,
    issued_by: IssuedBy = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Lift certificate holds and publish the updated CRLs.

    Delta CRLs list the certificates as removeFromCRL. To lift a revocation that the profile specifies, edit
    the profile.

    \b
    Examples:
      pkigen unrevoke out/defender-iot sensor-02
      pkigen unrevoke out/defender-iot sensor-01 --force
    """
    from pkigen.cli._revocation import parse_serial, print_revocation
    from pkigen.environment.revoke import unrevoke as lift_revocations
    from pkigen.inspection.artifacts import read_passphrase

    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    result = lift_revocations(
        env,
        names or (),
        serial=parse_serial(serial),
        issued_by=issued_by,
        force=force,
        passphrases=passphrases,
    )
    print_revocation(result, "no longer revoked", as_json=json)
