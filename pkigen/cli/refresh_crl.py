"""``pkigen refresh-crl``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._completion import complete_authority
from pkigen.cli._options import (
    EnvironmentDirectory,
    Json,
    PassphraseFiles,
    parse_time,
)

HELP_ORDER = 80


def refresh_crl(
    env: EnvironmentDirectory,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[AUTHORITY]", help="Names of CAs (default: all).", autocompletion=complete_authority
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="Value of thisUpdate, e.g. 2026-01-31 or +2d (default: now)."
        ),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Publish CRLs again, under the next CRL number.

    The new complete CRL becomes the base of the delta CRL. You rarely need this command: `pkigen serve` and
    `pkigen build` refresh every CRL that has less than a quarter of its validity period left.

    \b
    Examples:
      pkigen refresh-crl out/defender-iot
      pkigen refresh-crl out/defender-iot ot-issuing --at +2d
    """
    from pkigen.cli._revocation import print_revocation
    from pkigen.environment.revoke import refresh_crl as refresh_crls
    from pkigen.inspection.artifacts import read_passphrase

    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    result = refresh_crls(env, names or (), at=parse_time(at), passphrases=passphrases)
    print_revocation(result, "", as_json=json)
