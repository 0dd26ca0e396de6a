"""The expected cases of a profile equal those of its manifest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen import BuildOptions, build, load
from pkigen.environment.build.expected_cases import expected_cases

_CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
_MIXED: dict[str, Any] = {
    "name": "mixed",
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {},
        "issuing": {"issuer": "root"},
        "gone": {"issuer": "root", "revoked": {"reason": "cACompromise", "at": "-1d"}},
    },
    "certificates": {
        "sound": {"issuer": "issuing"},
        "old": {"issuer": "issuing", "valid": {"from": "-10d", "to": "-1d"}},
        "early": {"issuer": "issuing", "valid": {"from": "+1d", "to": "+9d"}},
        "revoked": {"issuer": "issuing", "revoked": {"reason": "keyCompromise", "at": "-1d"}},
        "fallen": {"issuer": "gone"},
        "alone": {"issuer": "self"},
        "both": {"issuer": "issuing", "faults": ["expired", "san-wrong-host"]},
    },
    "negatives": [
        {"of": "sound", "faults": ["validity/*", "transport/*", "crl/*", "chain/*"]},
        {"of": "alone", "faults": ["san/*"]},
    ],
}


@pytest.mark.parametrize("source", [_MIXED, "deep-hierarchy", "negative-upload"], ids=str)
def test_names_faults_and_verdicts_equal_those_of_the_manifest(source: Any, tmp_path: Path) -> None:
    built = build(source, tmp_path, BuildOptions(at=_CLOCK, keys="pool"))
    cases = expected_cases(load(source), _CLOCK)
    assert [(one.name, one.expected, one.stage) for one in cases] == [
        (case.name, case.expected, case.stage) for case in built.cases()
    ]
    faults = [c.fault.split("+") if c.fault else [] for c in built.cases()]
    assert [[name.partition("/")[2] for name in one.faults] for one in cases] == faults


def test_cases_are_selected_by_fault_id_family_and_all() -> None:
    cases = {one.name: one for one in expected_cases(load(_MIXED), _CLOCK)}
    both = cases["both"]
    assert both.faults == ("validity/expired", "san/san-wrong-host")
    assert [both.has(p) for p in ("expired", "validity/*", "san/san-wrong-*", "all", "san", "crl/*")] == [
        *(True, True, True, True, False, False)
    ]
    assert not cases["sound"].has("all")
