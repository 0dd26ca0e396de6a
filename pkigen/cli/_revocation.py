"""Arguments and output that the revocation commands share."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._completion import complete_certificate
from pkigen.cli._console import print_json, print_line, print_message, wrap
from pkigen.cli._options import require_choice

if TYPE_CHECKING:
    from pkigen.environment.revoke import RevocationResult


def parse_reason(text: str) -> str:
    """Return a reason code's RFC 5280 name; raise a usage error for an unknown name."""
    from pkigen.profile.specifications import REASONS

    return require_choice(text, REASONS, "--reason")


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Names of certificates or CAs, globs of certificates; also of deleted ones.",
        autocompletion=complete_certificate,
    ),
]
Serial = Annotated[
    str | None,
    typer.Option(
        "--serial",
        metavar="HEX",
        help="Serial number of an earlier certificate of NAME, e.g. 5f:3a (default: its current certificate; "
        "manifest.json lists the earlier ones).",
    ),
]
IssuedBy = Annotated[
    str | None,
    typer.Option(
        "--issued-by",
        metavar="AUTHORITY",
        help="Instead of NAME: CA that issued the certificate with the number --serial, also elsewhere, e.g. "
        "--issued-by ot-issuing --serial 1a2b.",
    ),
]


def parse_serial(text: str | None) -> int | None:
    """Parse a hexadecimal serial number, with or without colons; raise a usage error if it is invalid."""
    if text is None:
        return None
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a hexadecimal number", param_hint="'--serial'") from None


def print_revocation(result: RevocationResult, status: str, *, as_json: bool) -> None:
    """Print the certificates whose status changed, and the CRLs that were published."""
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
        print_line(wrap(f"{entity.partition('/')[2]} is {status}", 2))
    for crl in result.crls:
        until = f"{crl.next_update:%Y-%m-%d %H:%M:%SZ}"
        print_line(wrap(f"CRL {crl.number} of {crl.authority}, valid until {until}: {crl.url}", 2))
    for note in result.notes:
        print_message(wrap(f"Note: {note}", 6))
