"""``pkigen schema``: JSON Schemas that are ones, and that fit what they describe."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pkigen.documents import shipped
from tests import tools
from tests.cli.conftest import Cli


@pytest.mark.parametrize("document", ["profile", "manifest"])
def test_a_schema_is_a_valid_one(cli: Cli, document: str) -> None:
    outcome = cli("schema", document)
    assert (outcome.code, outcome.err) == (0, "")
    schema = json.loads(outcome.out)
    jsonschema.validators.validator_for(schema).check_schema(schema)


def test_without_a_name_the_schema_of_profiles_is_printed(cli: Cli) -> None:
    assert cli("schema").out == cli("schema", "profile").out


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """The schema of profiles, read once: checking a schema takes longer than applying it."""
    return jsonschema.Draft202012Validator(json.loads(tools.python("-m", "pkigen", "schema", "profile")))


@pytest.mark.parametrize("name", shipped.names())
def test_shipped_profiles_match_the_schema(validator: jsonschema.Draft202012Validator, name: str) -> None:
    validator.validate(yaml.safe_load(shipped.path(name).read_bytes()))


def test_a_built_manifest_matches_the_schema(cli: Cli, profile: Path) -> None:
    cli("build", profile)
    schema = json.loads(cli("schema", "manifest").out)
    jsonschema.validate(json.loads(Path("out/contoso/manifest.json").read_bytes()), schema)
