"""``pkigen refresh-crl``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import (
    EnvironmentDirectory,
    Json,
    PassphraseFiles,
    parse_time,
)


def refresh_crl(
    env: EnvironmentDirectory,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[AUTHORITY]", help="Authorities; all if none is named.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When they say they are issued; now if not said."),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Publish CRLs anew, under the next number.

    A delta CRL begins anew with the CRL of now as its base. `pkigen serve` and `pkigen build` renew CRLs
    themselves, when less than a quarter of their time is left.

    \b
    Examples:
      pkigen refresh-crl out/defender-iot
      pkigen refresh-crl out/defender-iot ot-issuing --at +2d
    """
    from pkigen.cli._revocation import print_revocation
    from pkigen.environment.revoke import refresh_crl as publish_anew
    from pkigen.inspection.artifacts import read_passphrase

    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    result = publish_anew(env, names or (), at=parse_time(at), passphrases=passphrases)
    print_revocation(result, "", as_json=json)
