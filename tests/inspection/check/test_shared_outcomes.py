"""Certificates with the same chain share the outcomes for their CA certificates where that is correct."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.requirements import CheckInput, RequirementSet, load_set
from pkigen.requirements.demand import Demand
from tests.environment.profiles import build_it, small

_SET = """
name: of-cas
title: Requirements of CA certificates
source: {title: Test, date: 2026-01-01}
requirements:
  - id: digest
    demand: {signature_algorithm: {allowed: [ecdsa-with-SHA256]}}
    level: advice
    says: The certificate is signed with SHA-256.
    of: all
  - id: unique
    demand: {subject_attribute: {type: CN, unique: true}}
    level: advice
    says: No other certificate has the common name.
    of: all
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, CheckResult], list[str]]:
    """Results with ``console``, which has the common name of its CA, and the kind of each check of a CA."""
    kinds = list[str]()
    before = Demand.check

    def check(self: Demand, subject: CheckInput) -> object:
        if subject.authority:
            kinds.append(self.kind)
        return before(self, subject)

    monkeypatch.setattr(Demand, "check", check)
    document = small()
    document["certificates"]["console"]["subject"] = {"CN": "Small Issuing", "OU": "Console"}
    folder = build_it(document, tmp_path).folder
    results = check_environment(folder, [_set(tmp_path)], CheckOptions(now=datetime.now(UTC)))
    return {one.name: one for one in results}, kinds


def _set(directory: Path) -> RequirementSet:
    path = directory / "of-cas.yaml"
    path.write_text(_SET)
    return load_set(str(path))


def test_a_ca_certificate_is_checked_once(checked: tuple[dict[str, CheckResult], list[str]]) -> None:
    results, kinds = checked
    assert len(results) == 3
    assert kinds.count("signature_algorithm") == 2


def test_what_depends_on_other_certificates_is_checked_for_each(
    checked: tuple[dict[str, CheckResult], list[str]],
) -> None:
    results, kinds = checked
    assert kinds.count("subject_attribute") == 2 * 3
    # The certificate that is checked is no other one for its CA.
    violated = {name: [one.requirement.id for one in result.broken] for name, result in results.items()}
    assert violated == {"console": [], "sensor-01": ["unique"], "sensor-02": ["unique"]}
