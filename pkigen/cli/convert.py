"""``pkigen convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    printable,
)
from pkigen.cli._options import Json
from pkigen.cli._progress import elapsed_time

_PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="File whose first line is the passphrase of the sources."
    ),
]
_NewPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--new-passphrase-file",
        metavar="FILE",
        help="File whose first line is the passphrase that encrypts the output key (default: unencrypted).",
    ),
]

HELP_ORDER = 120


def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE", help="Files that belong together, in any format; - for standard input."
        ),
    ],
    to: Annotated[
        Literal["appliance", "crt", "key", "pem", "der", "p12", "pfx", "p7b", "jks"],
        typer.Option("--to", help="Output format; appliance writes crt, key and pem."),
    ] = "appliance",
    out: Annotated[
        str,
        typer.Option(
            "--out", metavar="PATH", help="Output file or directory, or the base name of several files."
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    passphrase_file: _PassphraseFile = None,
    new_passphrase_file: _NewPassphraseFile = None,
    key_format: Annotated[
        Literal["pkcs8", "traditional"],
        typer.Option("--key-format", help="PKCS#8, or PKCS#1 and SEC 1 for old programs."),
    ] = "pkcs8",
    alias: Annotated[
        str,
        typer.Option("--alias", metavar="NAME", help="Friendly name (alias) of the key in PKCS#12 or JKS."),
    ] = "",
    legacy: Annotated[
        bool, typer.Option("--legacy", help="PKCS#12 with 3DES and SHA-1, for programs from before 2018.")
    ] = False,
    json: Json = False,
) -> None:
    """Convert certificates, keys and chains of any format.

    The contents of the sources determine their formats. --to crt writes the certificate in PEM, key the
    private key, pem the chain from the issuing CA to the root, der the certificate (or the lone key, or
    CRL) in DER, p12 (or pfx) all of them, p7b certificates and CRLs without the key. jks needs Java's
    keytool. Existing files are not overwritten.

    \b
    Examples:
      pkigen convert sensor-01.pfx --passphrase-file pass.txt
      pkigen convert sensor-01.cer --to crt
      pkigen convert sensor-01.crt sensor-01.key chain.p7b --to p12
      pkigen convert sensor-01.crt chain.pem --to p7b
    """
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.inspection.conversion import ConversionOptions, Target
    from pkigen.inspection.conversion import convert as convert_files

    options = ConversionOptions(
        to=Target("p12" if to == "pfx" else to),
        out=out,
        force=force,
        passphrases=() if passphrase_file is None else (read_passphrase(passphrase_file),),
        new_passphrase=None if new_passphrase_file is None else read_passphrase(new_passphrase_file),
        key_format=key_format,
        alias=alias,
        legacy=legacy,
    )
    with elapsed_time("converting"):
        result = convert_files(sources, options)
    if json:
        written = [{"path": str(file.path), "holds": file.holds} for file in result.written]
        print_json({"written": written, "notes": result.notes})
        return
    for file in result.written:
        print_line(printable(str(file.path)))
        print_message(f"{file.path}: {file.holds}")
    for note in result.notes:
        print_message(f"Note: {note}")
