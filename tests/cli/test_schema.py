"""``pkigen schema``: JSON Schemas that are ones, and that fit what they describe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pkigen.documents import shipped
from tests import tools
from tests.cli.conftest import Cli

DOCUMENTS = ["profile", "manifest", "requirements"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_schema_is_a_valid_one(cli: Cli, document: str) -> None:
    outcome = cli("schema", document)
    assert (outcome.code, outcome.err) == (0, "")
    schema = json.loads(outcome.out)
    assert jsonschema.validators.validator_for(schema) is jsonschema.Draft202012Validator
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_schema_of_draft_07_has_no_keyword_of_a_later_draft(cli: Cli, document: str) -> None:
    text = cli("schema", document, "--draft", "07").out
    schema = json.loads(text)
    assert jsonschema.validators.validator_for(schema) is jsonschema.Draft7Validator
    jsonschema.Draft7Validator.check_schema(schema)
    later = (
        "$defs",
        "prefixItems",
        "dependentSchemas",
        "dependentRequired",
        "unevaluated",
        "$dynamic",
        "minContains",
    )
    assert not [word for word in later if word in text]
    # Draft 07 ignores what is beside a reference.
    assert not [node for node in _objects(schema) if "$ref" in node and len(node) > 1]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(part)


def test_without_a_name_the_schema_of_profiles_is_printed(cli: Cli) -> None:
    assert cli("schema").out == cli("schema", "profile").out


DRAFTS = {"2020-12": jsonschema.Draft202012Validator, "07": jsonschema.Draft7Validator}


@pytest.fixture(scope="module")
def validators() -> dict[str, Any]:
    """The schemas of profiles, read once: checking a schema takes longer than applying it."""
    command = ("-m", "pkigen", "schema", "profile", "--draft")
    return {draft: kind(json.loads(tools.python(*command, draft))) for draft, kind in DRAFTS.items()}


@pytest.mark.parametrize("name", shipped.names())
def test_shipped_profiles_match_the_schema(validators: dict[str, Any], name: str) -> None:
    profile = yaml.safe_load(shipped.path(name).read_bytes())
    for validator in validators.values():
        validator.validate(profile)


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(
    "spoiled", [{"certificates": {"a": {"kye": "rsa-2048"}}}, {"authorities": []}, {"nmae": "x"}]
)
def test_both_drafts_reject_the_same_mistakes(validators: dict[str, Any], spoiled: Any, draft: str) -> None:
    assert not validators[draft].is_valid(spoiled)


def test_a_built_manifest_matches_the_schema(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    schema = json.loads(cli("schema", "manifest").out)
    jsonschema.validate(json.loads(Path("out/contoso/manifest.json").read_bytes()), schema)
