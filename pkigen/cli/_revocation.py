"""What the commands about revocation read and print."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    wrap,
)
from pkigen.cli._options import require_choice

if TYPE_CHECKING:
    from pkigen.environment.revoke import RevocationResult


def parse_reason(text: str) -> str:
    """A reason code by its name; a usage error for what is none."""
    from pkigen.profile.specifications import REASONS

    return require_choice(text, REASONS, "--reason")


def parse_serial(text: str | None) -> int | None:
    """A serial number in hexadecimal digits, colons between them or not; a usage error if it is none."""
    if text is None:
        return None
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not a number in hexadecimal digits", param_hint="'--serial'"
        ) from None


def print_revocation(result: RevocationResult, what: str, *, as_json: bool) -> None:
    """What changed, and the CRLs that say so."""
    if as_json:
        print_json(
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
        print_line(wrap(f"{entity.partition('/')[2]} is {what}", 2))
    for crl in result.crls:
        until = f"{crl.next_update:%Y-%m-%d %H:%M:%SZ}"
        print_line(wrap(f"CRL {crl.number} of {crl.authority}, good until {until}: {crl.url}", 2))
    for note in result.notes:
        print_message(wrap(f"Note: {note}", 6))
