"""BetterTLS's own test cases: the file that its command ``export-tests`` writes, as an x509-limbo file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pkigen.formats import pem
from pkigen.x509 import Certificate
from tests.bettertls import name_constraints, path_building

SUITES = ("pathbuilding", "nameconstraints")
_AGE = timedelta(hours=24)
"""Time between the beginning of the certificates' validity and their creation."""


def verdicts() -> dict[str, tuple[bool, bool]]:
    """Return whether a client accepts each case, and whether that is required, by SUITE.NUMBER."""
    paths = {f"pathbuilding.{case.number}": (case.accepted, True) for case in path_building.cases()}
    return paths | {f"nameconstraints.{case.number}": case.verdict for case in name_constraints.cases()}


def changed_verdicts(exported: dict[str, Any]) -> list[str]:
    """Return the cases whose verdicts are not those of the definitions here, or that only one of both has."""
    own = {
        f"{suite}.{case['id']}": (case["expected"] == "ACCEPT", not case["failureIsWarning"])
        for suite in SUITES
        for case in exported["suites"][suite]["testCases"]
    }
    expected = verdicts()
    return [name for name in expected.keys() | own.keys() if expected.get(name) != own.get(name)]


def limbo_document(exported: dict[str, Any]) -> dict[str, Any]:
    """Return the cases in the format of x509-limbo; all are validated when BetterTLS created the last one."""
    root = base64.b64decode(exported["trustRoot"])
    cases = [(suite, case) for suite in SUITES for case in exported["suites"][suite]["testCases"]]
    created = max(_leaf(case).not_before for _, case in cases) + _AGE
    return {
        "version": 1,
        "testcases": [_limbo_case(suite, case, root, created) for suite, case in cases],
    }


def _leaf(case: dict[str, Any]) -> Certificate:
    return Certificate(base64.b64decode(case["certificates"][0]))


def _limbo_case(suite: str, case: dict[str, Any], root: bytes, at: datetime) -> dict[str, Any]:
    leaf, *chain = map(base64.b64decode, case["certificates"])
    return {
        "id": f"bettertls::{suite}::tc{case['id']}",
        "validation_kind": "SERVER",
        "trusted_certs": list(_pem(root)),
        "untrusted_intermediates": [text for one in chain if one != root for text in _pem(one)],
        "peer_certificate": next(_pem(leaf)),
        "validation_time": at.isoformat(),
        "expected_result": "SUCCESS" if case["expected"] == "ACCEPT" else "FAILURE",
        "expected_peer_name": {
            "kind": "IP" if case["hostname"][0].isdigit() else "DNS",
            "value": case["hostname"],
        },
    }


def _pem(certificate: bytes) -> Iterator[str]:
    yield pem.encode("CERTIFICATE", certificate).decode()
