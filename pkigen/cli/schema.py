"""``pkigen schema``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pkigen.cli._console import print_json


def schema(
    document: Annotated[
        Literal["profile", "manifest", "requirements"], typer.Argument(help="Which document's schema.")
    ] = "profile",
) -> None:
    """Print the JSON Schema of profiles, manifests, requirements.

    An editor with the YAML language server completes and checks a profile that begins with the
    line: # yaml-language-server: $schema=profile.schema.json

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
