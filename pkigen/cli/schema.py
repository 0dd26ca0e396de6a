"""``pkigen schema``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pkigen.cli._console import print_json

HELP_ORDER = 210


def schema(
    document: Annotated[
        Literal["profile", "manifest", "requirements"], typer.Argument(help="Document type.")
    ] = "profile",
) -> None:
    """Print the JSON Schema of a document type.

    An editor with the YAML language server completes and validates a profile whose first line is:
    # yaml-language-server: $schema=profile.schema.json

    \b
    Example:
      pkigen schema profile > profile.schema.json
    """
    if document == "profile":
        from pkigen.profile.schema import json_schema
    elif document == "requirements":
        from pkigen.requirements.schema import json_schema
    else:
        from pkigen.environment.manifest.schema import json_schema
    print_json(json_schema())
