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
    draft: Annotated[
        Literal["2020-12", "07"], typer.Option("--draft", help="Draft of JSON Schema.")
    ] = "2020-12",
) -> None:
    """Print the JSON Schema of a document type.

    An editor with the YAML language server completes and validates a profile whose first line is:
    # yaml-language-server: $schema=profile.schema.json

    Draft 07 is for editors and catalogs that know no later draft.

    \b
    Examples:
      pkigen schema profile > profile.schema.json
      pkigen schema profile --draft 07 > pkigen-profile.json
    """
    from pkigen.documents.json_schema import draft_07

    if document == "profile":
        from pkigen.profile.schema import json_schema
    elif document == "requirements":
        from pkigen.requirements.schema import json_schema
    else:
        from pkigen.environment.manifest.schema import json_schema
    document_schema = json_schema()
    print_json(document_schema if draft == "2020-12" else draft_07(document_schema))
