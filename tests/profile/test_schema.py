"""The JSON Schema for editors: it takes what ``load`` takes, and marks what is plainly wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from pkigen.documents import shipped
from pkigen.profile.schema import json_schema
from tests.profile.test_profile import EXAMPLE

SCHEMA = json_schema()


def _valid(text: str) -> bool:
    document: Any = yaml.safe_load(text)
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(document))


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_accepts_the_example_and_every_shipped_profile() -> None:
    assert _valid(EXAMPLE)
    for name in shipped.names():
        assert _valid(shipped.path(name).read_text("utf-8")), name


@pytest.mark.parametrize(
    "entry",
    [
        "{issuer: root, subject: {CN: 5, O: }, must_staple: true, key: '{{ key }}', formats: ['{{ x }}']}",
        "{issuer: self, san: none, key_usage: {critical: true, usages: [cRLSign]}, inhibit_any_policy: 0}",
        "{issuer: root, valid: 30d, aia: auto, freshest_crl: ['http://a.test'], policies: [1.2.3]}",
        "{issuer: root, signature: pss-sha256, passphrase: {file: x}, revoked: superseded}",
        "{like: other, basic_constraints: {ca: false, path_length: 0}}",
        "{issuer: root, serial: 5, formats: [der], csr: a.csr}",
        "",
    ],
)
def test_the_schema_accepts_numbers_templates_and_short_forms(entry: str) -> None:
    assert _valid(f"name: test\nauthorities: {{root: }}\ncertificates:\n  a: {entry}\n")


@pytest.mark.parametrize(
    "text",
    [
        "name: [a]",
        "nmae: a",
        "name: a\ndefaults: {kee: x}",
        "name: a\ncertificates: {a: {isuer: b}}",
        "name: a\nauthorities: [a]",
        "name: a\ncertificates: {a: {san: {nams: []}}}",
        "name: a\ncertificates: {a: {formats: der}}",
        "name: a\nenrolment: {a: {serial: 1}}",
        "name: a\nfleets: {a: {formats: [der]}}",
        "name: a\nfleets: {a: {csr: a.csr}}",
    ],
)
def test_the_schema_rejects_invalid_values(text: str) -> None:
    assert not _valid(text)
