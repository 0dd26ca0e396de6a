"""One small environment for all validators, sound and wrong, and changes of its cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.matrix import MatrixCase, cases_of

PROFILE: dict[str, Any] = {
    "name": "matrix",
    "defaults": {"key": "rsa-2048"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {
        "sound": {"issuer": "issuing", "subject": {"CN": "sound.contoso.test"}, "formats": ["pkcs12"]},
        "revoked": {
            "issuer": "issuing",
            "subject": {"CN": "revoked.contoso.test"},
            "revoked": {"reason": "keyCompromise", "at": "-2d"},
        },
        "locked": {
            "issuer": "issuing",
            "subject": {"CN": "locked.contoso.test"},
            "passphrase": "geheim",
        },
        "wildcard": {"issuer": "issuing", "subject": {"CN": "wildcard"}, "san": ["dns:*.contoso.test"]},
    },
    "negatives": [{"of": "sound", "faults": ["expired", "ext-unknown-critical-root"]}],
}


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="session")
def cases(environment: Environment) -> dict[str, MatrixCase]:
    return {case.name: case for case in cases_of(environment)}


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """The passphrase of PKCS#12 files that ask for none of their own."""
    path = tmp_path / "passphrase"
    path.write_text("changeit\n")
    return path


@pytest.fixture
def complete(cases: dict[str, MatrixCase], passphrase: Path) -> MatrixCase:
    """The sound case with a PKCS#12 file and its passphrase."""
    case = cases["sound"]
    return replace(case, pkcs12=case.certificate.with_suffix(".p12"), passphrase=passphrase)
