"""Alternative names without ``san``: the host names in the common names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.profile.specifications import alternative_names
from tests.profile.documents import certificates


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ("subject: {CN: console}", [("dns", "console")]),
        ("subject: {CN: console}, extended_key_usage: [clientAuth]", []),
        ("subject: {CN: a.test}, extended_key_usage: [clientAuth]", [("dns", "a.test")]),
        ("subject: {CN: '::1'}, extended_key_usage: [clientAuth]", [("ip", "::1")]),
        ("subject: {CN: [a.test, 10.0.0.1]}", [("dns", "a.test"), ("ip", "10.0.0.1")]),
        ("subject: {CN: 1.2.3}", []),
        ("subject: {CN: a.test}, san: ['dns:b.test']", [("dns", "b.test")]),
        ("subject: {CN: a.test}, san: none", []),
    ],
)
def test_host_names_in_common_names_are_the_alternative_names(
    tmp_path: Path, fields: str, names: list[tuple[str, str]]
) -> None:
    spec = certificates(tmp_path, f"one: {{issuer: root, {fields}}}\n")["one"]
    assert [(name.kind, name.value) for name in alternative_names(spec)] == names
