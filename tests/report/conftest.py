"""Environments that reports are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen import BuildOptions, Environment, build

CLOCK = datetime(2026, 6, 1, tzinfo=UTC)
MIXED: dict[str, Any] = {
    "name": "mixed",
    "requirements": ["defender-iot"],
    "defaults": {"subject": {"C": "US", "O": "Contoso Inc.", "OU": "Contoso Labs"}, "key": "rsa-2048"},
    "authorities": {
        "root": {"subject": {"CN": "Contoso Root"}},
        "old": {"subject": {"CN": "Contoso Old Root"}, "valid": {"from": "-12y", "to": "+1y"}},
        "issuing": {"issuer": ["root", "old"], "subject": {"CN": "Contoso Issuing"}},
    },
    "certificates": {
        "console": {"issuer": "issuing", "subject": {"CN": "console.contoso.test"}},
        "sensor-{01..20}": {"issuer": "issuing", "subject": {"CN": "{{ name }}.contoso.test"}},
        "retired": {
            "issuer": "issuing",
            "subject": {"CN": "retired.contoso.test"},
            "valid": {"from": "-200d", "to": "+30d"},
            "revoked": {"reason": "keyCompromise", "at": "-60d"},
        },
    },
    "negatives": [
        {"of": "console", "against": "defender-iot"},
        {"of": "console", "faults": ["expired", "expired-root", "san-wrong-host"]},
    ],
}


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Two roots and a cross-certificate, a fleet, one that is revoked, broken copies."""
    return build(MIXED, tmp_path_factory.mktemp("report"), BuildOptions(at=CLOCK, keys="pool"))


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The shipped profile of a deep hierarchy."""
    return build("deep-hierarchy", tmp_path_factory.mktemp("report"), BuildOptions(at=CLOCK, keys="pool"))
