"""``pkigen unrevoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import EnvironmentDirectory, Json, PassphraseFiles


def unrevoke(
    env: EnvironmentDirectory,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Certificates or authorities.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also what is no hold, which no CA would take back.")
    ] = False,
    passphrase_file: PassphraseFiles = None,
    json: Json = False,
) -> None:
    """Take certificates off hold, in the CRLs too.

    A delta CRL lists them as removeFromCRL. What the profile revokes is taken back there.

    \b
    Examples:
      pkigen unrevoke out/defender-iot sensor-02
      pkigen unrevoke out/defender-iot sensor-01 --force
    """
    from pkigen.cli._revocation import print_revocation
    from pkigen.environment.revoke import unrevoke as take_back
    from pkigen.inspection.artifacts import read_passphrase

    passphrases = tuple(map(read_passphrase, passphrase_file or ()))
    result = take_back(env, names, force=force, passphrases=passphrases)
    print_revocation(result, "revoked no more", as_json=json)
