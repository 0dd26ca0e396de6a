"""Defects of planned paths, one certificate after the other below the same authorities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen.plan import plan
from pkigen.plan.path_expectations import PathDefect, PathExpectations
from pkigen.profile import load

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _defects(certificates: dict[str, Any], **authority: Any) -> list[PathDefect | None]:
    """Return the defects of certificates below an authority with some fields."""
    document = {
        "name": "defects",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "ca": {"issuer": "root", **authority}, "lister": {"issuer": "root"}},
        "certificates": {name: {"issuer": "ca", **fields} for name, fields in certificates.items()},
    }
    planned = plan(load(document), _NOW, lambda *_: 7)
    expectations = PathExpectations(planned.authorities, _NOW)
    return [expectations.defect(entity) for entity in planned.certificates()]


@pytest.mark.parametrize(
    "authority",
    [
        {},
        {"subject_key_identifier": "01:02"},
        {"crl": {"issuer": "lister"}},
        {"key_usage": ["keyCertSign"], "crl": "none"},
        {"key_usage": ["keyCertSign"], "crl": {"issuer": "lister"}},
        {"key_usage": "none"},
    ],
)
def test_a_sound_path_has_no_defect(authority: dict[str, Any]) -> None:
    assert _defects({"a.test": {}, "b.test": {"extended_key_usage": ["clientAuth"]}}, **authority) == [
        None,
        None,
    ]


def test_a_ca_that_may_not_sign_its_crl_is_a_defect_of_the_revocation() -> None:
    words = "the key usage of ca lacks cRLSign: its CRL is not valid"
    defects = _defects({"a": {}, "b": {"crl_distribution_points": "none"}}, key_usage=["keyCertSign"])
    assert defects == [("revocation", words), None]


def test_name_constraints_decide_about_each_certificate() -> None:
    good, bad, again = _defects(
        {"x.a.test": {}, "x.b.test": {}, "y.a.test": {}}, name_constraints={"permitted": ["dns:a.test"]}
    )
    assert (good, again) == (None, None)
    assert bad is not None
    assert bad.stage == "path"
    assert bad.reason.startswith("it has a name that violates the name constraints of a CA")


def test_certificates_that_differ_only_in_names_and_times_share_their_defect() -> None:
    first, second = _defects(
        {"a.test": {"valid": "1d"}, "b.test": {"valid": {"from": "-9d", "to": "-1d"}}},
        basic_constraints={"ca": "false"},
    )
    assert first is second
    assert first is not None
    assert (first.stage, "is not a CA" in first.reason) == ("path", True)
