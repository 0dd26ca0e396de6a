"""What the commands about revocation read and print."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from pkigen.cli._console import give, give_json, say, wrapped
from pkigen.cli._options import one_of

if TYPE_CHECKING:
    from pkigen.environment.revoke import RevocationResult


def reason_code(text: str) -> str:
    """A reason code by its name; a usage error for what is none."""
    from pkigen.profile.specifications import REASONS

    return one_of(text, REASONS, "--reason")


def serial_number(text: str | None) -> int | None:
    """A serial number in hexadecimal digits, colons between them or not; a usage error if it is none."""
    if text is None:
        return None
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not a number in hexadecimal digits", param_hint="'--serial'"
        ) from None


def give_revocation(result: RevocationResult, what: str, *, as_json: bool) -> None:
    """What changed, and the CRLs that say so."""
    if as_json:
        give_json(
            {
                "changed": result.changed,
                "crls": [
                    {**asdict(crl), "next_update": f"{crl.next_update:%Y-%m-%dT%H:%M:%SZ}"}
                    for crl in result.crls
                ],
                "notes": result.notes,
            }
        )
        return
    for entity in result.changed:
        give(wrapped(f"{entity.partition('/')[2]} is {what}", 2))
    for crl in result.crls:
        until = f"{crl.next_update:%Y-%m-%d %H:%M:%SZ}"
        give(wrapped(f"CRL {crl.number} of {crl.authority}, good until {until}: {crl.url}", 2))
    for note in result.notes:
        say(wrapped(f"Note: {note}", 6))
